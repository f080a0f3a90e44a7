import type { RoomView } from "./room-view.ts";

/** Who says what the platform has to say in a room: the control bot where it is, else an agent that may post; null where none may. */
export function speaker(view: RoomView, preferred?: string): string | null {
  if (view.controlJoined) return view.controlUserId;
  const able = view.agents.filter(
    ({ membership, scope, state }) =>
      membership === "join" && scope !== "observer" && (state === "active" || state === "paused"),
  );
  return (able.find(({ id }) => id === preferred) ?? able[0])?.userId ?? null;
}

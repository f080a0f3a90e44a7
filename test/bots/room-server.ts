/** A homeserver that keeps rooms, their state, members and messages in memory, and can be away. */
import { ok, type Request, refused, type ScriptedHomeserver, scriptedHomeserver } from "./homeserver.ts";
import { CONTROL, SERVER } from "./tenant.ts";

type Json = Record<string, unknown>;

export interface FakeRoom {
  id: string;
  alias: string | null;
  /** Content by `type|state key`. */
  state: Map<string, Json>;
  /** Oldest first. */
  messages: { event_id: string; sender: string; content: Json }[];
}

export interface RoomServer {
  url: string;
  rooms: Map<string, FakeRoom>;
  homeserver: ScriptedHomeserver;
  /** While true it answers 503 to everything. */
  away: boolean;
  /** Away before this many more requests are answered. */
  awayAfter: number | null;
  byName(name: string): FakeRoom;
  stateOf(roomId: string, type: string, key?: string): Json | undefined;
}

export async function roomServer(): Promise<RoomServer> {
  const homeserver = await scriptedHomeserver();
  const rooms = new Map<string, FakeRoom>();
  const self: RoomServer = {
    url: homeserver.url,
    rooms,
    homeserver,
    away: false,
    awayAfter: null,
    byName(name) {
      const found = [...rooms.values()].find((room) => room.state.get("m.room.name|")?.name === name);
      if (!found) throw new Error(`no room ${name}`);
      return found;
    },
    stateOf: (roomId, type, key = "") => rooms.get(roomId)?.state.get(`${type}|${key}`),
  };
  homeserver.answer = (request) => {
    if (self.awayAfter !== null && self.awayAfter-- <= 0) self.away = true;
    if (self.away) return { status: 503, body: {} };
    return answerTo(rooms, request);
  };
  return self;
}

let made = 0;

function answerTo(rooms: Map<string, FakeRoom>, request: Request) {
  const { path, method, body } = request;
  const alias = /^\/_matrix\/client\/v3\/directory\/room\/(.+)$/.exec(path)?.[1];
  if (alias) {
    const found = [...rooms.values()].find((room) => room.alias === alias);
    return found ? ok({ room_id: found.id }) : refused("M_NOT_FOUND", 404);
  }
  if (path.endsWith("/createRoom")) return create(rooms, body);
  const join = /^\/_synapse\/admin\/v1\/join\/(.+)$/.exec(path)?.[1];
  if (join) return member(rooms.get(join), String(body.user_id), "join");
  if (path.endsWith("/upload")) return ok({ content_uri: "mxc://x/y" });
  const [, id, rest = ""] = /^\/_matrix\/client\/v3\/rooms\/([^/]+)\/(.*)$/.exec(path) ?? [];
  if (!id) return undefined;
  const room = rooms.get(id);
  if (!room) return refused("M_NOT_FOUND", 404);
  return inRoom(room, { method, rest, body, as: request.as ?? CONTROL });
}

function create(rooms: Map<string, FakeRoom>, body: Json) {
  const alias = body.room_alias_name ? `#${body.room_alias_name}:${SERVER}` : null;
  if (alias && [...rooms.values()].some((room) => room.alias === alias)) return refused("M_ROOM_IN_USE", 400);
  const id = `!made${++made}`;
  const initial = (body.initial_state as { type: string; state_key: string; content: Json }[]) ?? [];
  const state = new Map(initial.map(({ type, state_key, content }) => [`${type}|${state_key}`, content] as const));
  state.set("m.room.power_levels|", body.power_level_content_override as Json);
  state.set(`m.room.member|${CONTROL}`, { membership: "join" });
  rooms.set(id, { id, alias, state, messages: [] });
  return ok({ room_id: id });
}

function inRoom(room: FakeRoom, { method, rest, body, as }: { method: string; rest: string; body: Json; as: string }) {
  const [what, type = "", ...key] = rest.split("/");
  if (what === "state" && type === "") {
    const all = [...room.state].map(([name, content]) => ({
      type: name.split("|")[0],
      state_key: name.slice(name.indexOf("|") + 1),
      sender: CONTROL,
      content,
    }));
    return { status: 200, body: all };
  }
  if (what === "state") {
    const name = `${type}|${key.join("/")}`;
    if (method === "PUT") {
      room.state.set(name, body);
      return ok({ event_id: `$state${++made}` });
    }
    const content = room.state.get(name);
    return content ? ok(content) : refused("M_NOT_FOUND", 404);
  }
  if (what === "send") {
    const event_id = `$sent${++made}`;
    room.messages.push({ event_id, sender: as, content: body });
    return ok({ event_id });
  }
  if (what === "messages") return ok({ chunk: room.messages.map((one) => ({ ...one, type: "m.room.message" })) });
  if (what === "invite") return member(room, String(body.user_id), "invite");
  if (what === "kick") return member(room, String(body.user_id), "leave");
  if (what === "join" || what === "leave") return member(room, as, what);
  return undefined;
}

function member(room: FakeRoom | undefined, userId: string, membership: string) {
  if (!room) return refused("M_NOT_FOUND", 404);
  room.state.set(`m.room.member|${userId}`, { membership });
  return ok({ room_id: room.id });
}

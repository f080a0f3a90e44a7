/** Take back what was planned. */
import { AppError } from "../../../core/errors.ts";
import type { RoomState } from "../../../migrations/types.ts";
import { managesClient } from "../../manages.ts";
import { mayChange } from "../../schedules/command.ts";
import { listSchedules, MOST_SCHEDULES, removeSchedule, shortId } from "../../schedules/schedules.ts";
import { oneLine } from "../one-line.ts";
import type { Tool, ToolRun } from "../tool.ts";

export const scheduleRemove: Tool = {
  name: "schedule_remove",
  group: "schedule",
  title: "Remove a planned task",
  summary: "Removes something that the agent has planned in the room.",
  description: "Removes a task that you have planned in this room. schedule_list shows the ids.",
  input: {
    type: "object",
    properties: { id: { type: "string", minLength: 4, maxLength: 40 } },
    required: ["id"],
    additionalProperties: false,
  },
  risk: "low",
  reads: "nothing",
  sends: "inside",
  repeatable: true,
  rooms: () => [{ room: "", does: "read" }],
  sentence: ({ id }) => `remove the planned task ${oneLine(id, 40)}`,
  run: remove,
};

/** Who made it, the room's moderators and the client's managers: as with the command in the room. */
async function remove({ ctx, tenantId, agent, roomId, args, person }: ToolRun) {
  const place = { tenantId, roomId: roomId ?? "", agentId: agent.id };
  const { schedules } = await listSchedules(ctx, { ...place, states: ["active", "paused"] }, { limit: MOST_SCHEDULES });
  const wanted = String(args.id).trim();
  const [schedule, other] = schedules.filter(({ id }) => id.startsWith(wanted));
  // Twice is once: also after a crash in between.
  if (!schedule || other)
    return { text: `No planned task has the id ${oneLine(wanted, 40)} (any more). schedule_list shows what there is.` };
  const [room] = await ctx.sql<{ state: RoomState | null }[]>`
    select state from rooms where tenant_id = ${tenantId} and room_id = ${place.roomId}`;
  const manages = await managesClient(ctx.sql, place, person);
  if (!mayChange(schedule, { userId: person, state: room?.state ?? null, manages }))
    throw new AppError(
      "forbidden",
      "Only the person who made it, the room's moderators and the client's managers may remove it.",
    );
  await removeSchedule(ctx, tenantId, schedule.id);
  return { text: `${shortId(schedule.id)} is removed.` };
}

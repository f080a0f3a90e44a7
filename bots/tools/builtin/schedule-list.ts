/** What this agent has planned in this room. */

import { nameIn } from "../../person-name.ts";
import { listSchedules, MOST_SCHEDULES, shortId } from "../../schedules/schedules.ts";
import { nextText, timeText } from "../../schedules/words.ts";
import { oneLine } from "../one-line.ts";
import type { Tool, ToolRun } from "../tool.ts";

export const scheduleList: Tool = {
  name: "schedule_list",
  group: "schedule",
  title: "List planned tasks",
  summary: "Shows what the agent has planned in the room.",
  description: "Lists the tasks that you have planned in this room, with the ids by which they are removed.",
  input: { type: "object", properties: {}, additionalProperties: false },
  risk: "low",
  reads: "private",
  sends: "nothing",
  repeatable: true,
  rooms: () => [{ room: "", does: "read" }],
  sentence: () => "list what it has planned in this room",
  run: list,
};

async function list({ ctx, tenantId, agent, roomId }: ToolRun) {
  const { schedules } = await listSchedules(
    ctx,
    { tenantId, roomId: roomId ?? "", agentId: agent.id, states: ["active", "paused"] },
    { limit: MOST_SCHEDULES },
  );
  if (schedules.length === 0) return { text: "Nothing is planned in this room.", untrusted: null };
  const lines = schedules.map((one) => {
    const next = one.nextAt === null ? (one.problem ?? "paused") : `next at ${nextText(one.nextAt, one.time)}`;
    return `- ${shortId(one.id)}: ${timeText(one.time)}, ${next}, for ${oneLine(one.createdByName ?? nameIn(one.createdBy), 60)}: ${oneLine(one.task, 300)}`;
  });
  return {
    text: lines.join("\n"),
    untrusted: schedules.find(({ untrusted }) => untrusted !== null)?.untrusted ?? null,
  };
}

/** Run me later, or every so often. */
import { AppError } from "../../../core/errors.ts";
import { stableId } from "../../../core/ids.ts";
import { isAgentUser, serverOf } from "../../room-view.ts";
import { MOST_TASK, makeSchedule } from "../../schedules/make.ts";
import { shortId } from "../../schedules/schedules.ts";
import { LEAST_MINUTES } from "../../schedules/times.ts";
import { everyText, nextText, patternText, timeText } from "../../schedules/words.ts";
import { oneLine } from "../one-line.ts";
import type { Args, Tool, ToolRun } from "../tool.ts";

const text = (maxLength: number, description: string) => ({ type: "string", minLength: 1, maxLength, description });

export const scheduleMake: Tool = {
  name: "schedule_make",
  group: "schedule",
  title: "Plan a task",
  summary: "Plans something for later, or for again and again; the agent then does it by itself.",
  description:
    "Plans a task for yourself in this room: once at a time or in some minutes, every so many minutes, or by a cron pattern. When it is due you are asked to do " +
    "it, and your answer is posted here. Give exactly one of at, in_minutes, every_minutes, cron.",
  input: {
    type: "object",
    properties: {
      task: text(MOST_TASK, "What you are to do then, complete in itself."),
      at: text(40, "Once, at this time, with an offset or Z: 2026-12-24T09:00:00+01:00."),
      in_minutes: { type: "integer", minimum: 1, maximum: 2_600_000, description: "Once, in so many minutes." },
      every_minutes: { type: "integer", minimum: LEAST_MINUTES, maximum: 527_040, description: "Again and again." },
      cron: text(
        200,
        "Five fields: minute, hour, day of the month, month, day of the week. 0 9 * * 1-5 is 9:00 on workdays.",
      ),
      zone: text(60, "The time zone of the cron pattern by its IANA name; UTC when left out."),
    },
    required: ["task"],
    additionalProperties: false,
  },
  risk: "medium",
  reads: "nothing",
  sends: "inside",
  repeatable: true,
  rooms: () => [{ room: "", does: { send: "m.room.message" } }],
  sentence: (args) => `plan “${oneLine(args.task)}” ${when(args)}`,
  run: make,
};

function when({ at, in_minutes, every_minutes, cron, zone }: Args): string {
  if (at !== undefined) return `at ${oneLine(at, 40)}`;
  if (in_minutes !== undefined) return `in ${in_minutes} minutes`;
  if (every_minutes !== undefined) return everyText(Number(every_minutes));
  return patternText(oneLine(cron, 200), oneLine(zone ?? "UTC", 60));
}

async function make({ ctx, tenantId, callId, args, agent, person, roomId, threadRoot, run }: ToolRun) {
  if (!roomId?.startsWith("!") || isAgentUser(person, { serverName: serverOf(agent.userId) }))
    throw new AppError("invalid", "Tasks are planned in rooms only, for a person who is there.");
  const schedule = await makeSchedule(ctx, {
    id: stableId("schedule", callId),
    tenantId,
    agentId: agent.id,
    roomId,
    threadRoot,
    person,
    task: String(args.task),
    time: {
      at: optional(args.at, String),
      inMinutes: optional(args.in_minutes, Number),
      everyMinutes: optional(args.every_minutes, Number),
      cron: optional(args.cron, String),
      zone: optional(args.zone, String),
    },
    untrusted: run?.untrusted ?? null,
  });
  const next = schedule.nextAt === null ? "" : `, next at ${nextText(schedule.nextAt, schedule.time)}`;
  return { text: `Planned (${shortId(schedule.id)}): ${timeText(schedule.time)}${next}. \`!schedules\` lists it.` };
}

const optional = <T>(value: unknown, as: (value: unknown) => T): T | undefined =>
  value === undefined ? undefined : as(value);

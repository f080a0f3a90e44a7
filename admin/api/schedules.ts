/** What agents do by themselves, later or again and again: each time for the person whose schedule it is. */
import { nameIn } from "../../bots/person-name.ts";
import { MOST_TASK, makeSchedule } from "../../bots/schedules/make.ts";
import {
  listSchedules,
  pauseSchedule,
  readSchedule,
  removeSchedule,
  resumeSchedule,
  type Schedule,
} from "../../bots/schedules/schedules.ts";
import { timeText } from "../../bots/schedules/words.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import type { Action } from "../rights.ts";
import { byline, type Caller } from "./caller.ts";
import { InvalidFields } from "./conflict.ts";
import { type Endpoint, endpoint, moment, words, z } from "./endpoint.ts";
import { iso } from "./iso.ts";
import { pageOf, pageQuery, readMomentCursor, writeCursor } from "./pages.ts";

const LIST = "/clients/{client}/schedules";
const ONE = `${LIST}/{schedule}`;
const named = z.object({ id: z.string(), name: z.string() });

export const scheduleView = z
  .object({
    id: z.string(),
    agent: named,
    room: z.object({ id: z.string(), name: z.string().nullable() }),
    createdBy: named.openapi({ description: "The person for whom it acts." }),
    task: z.string().openapi({ description: "What the agent is told each time." }),
    time: z.union([
      z.object({ kind: z.literal("once"), at: z.string() }),
      z.object({ kind: z.literal("every"), minutes: z.number() }),
      z.object({ kind: z.literal("cron"), pattern: z.string(), zone: z.string() }),
    ]),
    timeWords: z.string().openapi({ description: "The same in words: every Monday at 09:00 (Europe/Berlin)." }),
    state: z.enum(["active", "paused", "done", "removed"]),
    problem: z.string().nullable().openapi({ description: "Why it was paused by itself." }),
    untrusted: z.string().nullable(),
    nextAt: moment.nullable(),
    lastAt: moment.nullable(),
    lastRun: z.string().nullable(),
    times: z.number().int().openapi({ description: "How often it ran." }),
    createdAt: moment,
    mayChange: z.boolean(),
  })
  .openapi("Schedule");
export type ScheduleView = z.output<typeof scheduleView>;

const newBody = z.object({
  agent: z.string().min(1).max(200),
  room: z.string().min(1).max(300).openapi({ description: "A room in which agent and person are." }),
  task: words(MOST_TASK),
  time: z
    .object({
      at: z.string().max(60).optional().openapi({ description: "ISO 8601 with its offset or Z." }),
      inMinutes: z.number().int().min(1).max(5_000_000).optional(),
      everyMinutes: z.number().int().min(1).max(1_000_000).optional(),
      cron: z.string().max(200).optional().openapi({ description: "Five fields." }),
      zone: z.string().max(60).optional().openapi({ description: "IANA name for `cron`; UTC." }),
    })
    .openapi({ description: "One of `at`, `inMinutes`, `everyMinutes`, `cron`." }),
  person: z.string().max(255).optional().openapi({
    description:
      "For operators, who are in no room: the person for whom it acts. People make schedules for themselves.",
  }),
});

export const scheduleEndpoints = (ctx: Context): Endpoint[] => [...reading(ctx), ...changing(ctx)];

const viewSchedule = (row: Schedule, mayChange: boolean): ScheduleView => ({
  id: row.id,
  agent: { id: row.agentId, name: row.agentName },
  room: { id: row.roomId, name: row.roomName },
  createdBy: { id: row.createdBy, name: row.createdByName ?? nameIn(row.createdBy) },
  task: row.task,
  time: row.time,
  timeWords: timeText(row.time),
  state: row.state,
  problem: row.problem,
  untrusted: row.untrusted,
  nextAt: iso(row.nextAt),
  lastAt: iso(row.lastAt),
  lastRun: row.lastRunId,
  times: row.times,
  createdAt: iso(row.createdAt),
  mayChange,
});

type May = (action: Action) => boolean;

/** Everybody their own; managers all. */
const mayChange = (row: Schedule, caller: Caller, may: May): boolean =>
  may("schedules.write") && (may("tools.write") || row.createdBy === byline(caller));

const reading = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: LIST,
      action: "schedules.read",
      tag: "schedules",
      summary: "What agents do by themselves, newest first; members get their own",
      query: pageQuery.extend({
        agent: z.string().min(1).max(200).optional(),
        room: z.string().min(1).max(300).optional(),
        state: z.enum(["active", "paused", "done"]).optional(),
      }),
      answer: pageOf(scheduleView),
    },
    async ({ params: { client }, query, caller, may }) => {
      await getTenant(ctx, client);
      const after = readMomentCursor(query.cursor);
      const filter = {
        tenantId: client,
        agentId: query.agent,
        roomId: query.room,
        states: query.state && [query.state],
        createdBy: may("tools.read") ? undefined : byline(caller),
      };
      const { schedules, next } = await listSchedules(ctx, filter, { limit: query.limit, after });
      return {
        items: schedules.map((row) => viewSchedule(row, mayChange(row, caller, may))),
        next: next && writeCursor(next.micros, next.id),
      };
    },
  ),
];

const changing = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "post",
      path: LIST,
      action: "schedules.write",
      auditAs: "schedules.create",
      tag: "schedules",
      summary: "Let an agent do something later, or again and again, in a room where it and the person are",
      body: newBody,
      answer: scheduleView,
      status: 201,
      creates: true,
    },
    async ({ params: { client }, body, caller, may, audit }) => {
      await getTenant(ctx, client);
      const { agent: agentId, room: roomId, task, time } = body;
      const row = await makeSchedule(ctx, {
        tenantId: client,
        agentId,
        roomId,
        task,
        time,
        person: personOf(body, caller),
        plannedBy: byline(caller),
      });
      audit({ ...targetOf(row), after: { time: row.time, room: roomId, person: row.createdBy } });
      return viewSchedule(row, mayChange(row, caller, may));
    },
  ),
  endpoint(
    {
      method: "patch",
      path: ONE,
      action: "schedules.write",
      auditAs: "schedules.change",
      tag: "schedules",
      summary: "Pause it, or let it go on",
      body: z.object({ state: z.enum(["active", "paused"]) }),
      answer: scheduleView,
    },
    async ({ params, body, caller, may, audit }) => {
      const before = await find(ctx, params, caller, may);
      const change = body.state === "paused" ? pauseSchedule : resumeSchedule;
      const row = await change(ctx, params.client, before.id);
      const action = body.state === "paused" ? "schedules.pause" : "schedules.resume";
      audit({ action, ...targetOf(row), before: { state: before.state }, after: { state: row.state } });
      return viewSchedule(row, mayChange(row, caller, may));
    },
  ),
  endpoint(
    {
      method: "delete",
      path: ONE,
      action: "schedules.write",
      auditAs: "schedules.remove",
      tag: "schedules",
      summary: "Remove it; what runs now goes on",
      answer: null,
    },
    async ({ params, caller, may, audit }) => {
      const row = await find(ctx, params, caller, may);
      await removeSchedule(ctx, params.client, row.id);
      audit({ ...targetOf(row), before: { state: row.state, time: row.time } });
    },
  ),
];

/** An agent acts with the rights of the person for whom it is: nobody makes it act for somebody else. Operators are in no room, and name somebody. */
function personOf({ person }: { person?: string | undefined }, caller: Caller): string {
  if (caller.kind === "person") {
    if (person !== undefined && person !== caller.id)
      throw new InvalidFields({ person: "A schedule acts for whoever makes it. Leave the person out." });
    return caller.id;
  }
  if (!person?.startsWith("@"))
    throw new InvalidFields({ person: "Name the person for whom the agent acts, like @anna:example.org." });
  return person;
}

async function find(
  ctx: Context,
  ids: { client: string; schedule: string },
  caller: Caller,
  may: May,
): Promise<Schedule> {
  await getTenant(ctx, ids.client);
  const row = await readSchedule(ctx, ids.client, ids.schedule);
  if (mayChange(row, caller, may)) return row;
  if (may("tools.read")) throw new AppError("forbidden", "You may see this schedule, not change it. A manager can.");
  throw new AppError("not_found", "There is no such schedule of yours.");
}

const targetOf = ({ id, agentName }: Schedule) => ({ target: { kind: "schedule", id, name: agentName } });

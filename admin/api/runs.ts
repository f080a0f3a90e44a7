/** Runs: what agents did, are doing, and why it failed. */
import { runAgain } from "../../bots/run-again.ts";
import { listRuns, type RunFilter } from "../../bots/run-list.ts";
import { runReport } from "../../bots/run-report.ts";
import { readTimeline, type Timeline } from "../../bots/run-timeline.ts";
import { stopRun } from "../../bots/runs.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import { byline, type Caller } from "./caller.ts";
import { type Endpoint, endpoint, z } from "./endpoint.ts";
import { pageOf, pageQuery, readCursor, writeCursor } from "./pages.ts";
import { runFilters, runItem, runView, toRunItem, toRunView } from "./runs-views.ts";

const listQuery = pageQuery.extend(runFilters);
const RUN = "/clients/{client}/runs/{run}";

async function page(ctx: Context, query: z.output<typeof listQuery>, filter: Pick<RunFilter, "tenantId" | "askedBy">) {
  const { limit, cursor, agent, room, state, source, from, to } = query;
  const [micros, id] = readCursor(cursor, "number", "string") ?? [];
  const after = micros === undefined || id === undefined ? null : { micros, id };
  const wanted = {
    ...filter,
    agentId: agent,
    roomId: room,
    state,
    source,
    from: from === undefined ? undefined : Date.parse(from),
    to: to === undefined ? undefined : Date.parse(to),
  };
  const { runs, next } = await listRuns(ctx, wanted, { limit, after });
  return { items: runs.map(toRunItem), next: next && writeCursor(next.micros, next.id) };
}

/** The run, for those who may read all of the client's, and for whoever asked. Throws `not_found` for everybody else. */
async function runFor(
  ctx: Context,
  ids: { client: string; run: string },
  caller: Caller,
  all: boolean,
): Promise<Timeline> {
  const run = await readTimeline(ctx, ids.client, ids.run);
  const by = byline(caller);
  // What an agent handed over for somebody is theirs as well.
  if (all || run.question.by === by || (run.source === "task" && run.onBehalfOf === by)) return run;
  throw new AppError("not_found", "There is no such run of yours.");
}

export const runEndpoints = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: "/runs",
      action: "runs.read",
      tag: "runs",
      summary: "Runs of all clients, newest first. Some filters make pages short: go on until there is no `next`",
      query: listQuery,
      answer: pageOf(runItem),
    },
    ({ query }) => page(ctx, query, { tenantId: null }),
  ),
  endpoint(
    {
      method: "get",
      path: "/clients/{client}/runs",
      action: "runs.read_own",
      tag: "runs",
      summary:
        "A client's runs, newest first; members get those that they asked for. Some filters make pages short: go on until there is no `next`",
      query: listQuery.extend({
        person: z.string().min(1).max(300).optional().openapi({ description: "Matrix user id of who asked." }),
      }),
      answer: pageOf(runItem),
    },
    async ({ caller, params, query, may }) => {
      if (caller.role === "operator") await getTenant(ctx, params.client);
      const askedBy = may("runs.read") ? query.person : byline(caller);
      return await page(ctx, query, { tenantId: params.client, askedBy });
    },
  ),
  endpoint(
    {
      method: "get",
      path: RUN,
      action: "runs.read_own",
      tag: "runs",
      summary: "One run as a timeline",
      answer: runView,
    },
    async ({ caller, params, may }) => {
      const all = may("runs.read");
      return toRunView(await runFor(ctx, params, caller, all), { all });
    },
  ),
  endpoint(
    {
      method: "get",
      path: `${RUN}/report`,
      action: "runs.read",
      tag: "runs",
      summary: "A run as plain text for a bug report: without keys, and without texts unless asked for",
      query: z.object({ texts: z.enum(["true", "false"]).default("false") }),
      answer: "file",
    },
    async ({ params, query, http }) => {
      const run = await readTimeline(ctx, params.client, params.run);
      return http.text(runReport(run, { texts: query.texts === "true" }), 200, { "cache-control": "no-store" });
    },
  ),
  ...controls(ctx),
];

const controls = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "post",
      path: `${RUN}/stop`,
      action: "runs.control",
      auditAs: "runs.stop",
      tag: "runs",
      summary: "End a run with what it has written so far",
      answer: z.object({ stopping: z.boolean() }),
    },
    async ({ caller, params, audit }) => {
      const run = await readTimeline(ctx, params.client, params.run);
      audit({ target: { kind: "run", id: run.id, name: run.agent.name }, before: { state: run.state } });
      const stopping = await stopRun(ctx, run.id, "operator", byline(caller));
      if (!stopping && run.state !== "queued" && run.state !== "running" && run.state !== "waiting")
        throw new AppError("conflict", "This run is over already.");
      return { stopping: true };
    },
  ),
  endpoint(
    {
      method: "post",
      path: `${RUN}/again`,
      action: "runs.control",
      auditAs: "runs.again",
      tag: "runs",
      summary: "Answer the same question once more, in its room. The same `click` twice is one answer",
      body: z.object({ click: z.string().min(1).max(100) }),
      answer: z.object({ run: z.string() }),
      status: 201,
    },
    async ({ params, body, audit }) => {
      const made = await runAgain(ctx, { tenantId: params.client, runId: params.run, click: body.click });
      audit({ target: { kind: "run", id: params.run }, after: made });
      return made;
    },
  ),
];

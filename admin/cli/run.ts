import type { Command } from "commander";
import type { TimelineTool } from "../../bots/run-tools.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import type { runs } from "../../migrations/schema.ts";
import { type CliIo, examples, wholeNumber } from "./arguments.ts";
import { printJson, printTable } from "./io.ts";

type RunRow = typeof runs.$inferSelect;

export function addRunCommands(program: Command, io: CliIo): void {
  const run = program
    .command("run")
    .description("what agents did, are doing, and why it failed")
    .addHelpText("after", examples(["run list demo"]));
  run
    .command("list <client>")
    .description("a client's runs, newest first")
    .option("--limit <number>", "how many", wholeNumber, 50)
    .option("--state <state>", "queued, running, waiting, done, stopped, superseded or failed")
    .option("--json", "print JSON")
    .addHelpText("after", examples(["run list demo", "run list demo --state failed --json"]))
    .action((client: string, options: { limit: number; state?: string; json?: boolean }) => list(io, client, options));
  run
    .command("show <run>")
    .description("one run with its steps and texts")
    .option("--json", "print JSON")
    .addHelpText("after", examples(["run show 3f9c…"]))
    .action((id: string, options: { json?: boolean }) => show(io, id, options));
  run
    .command("stop <run>")
    .description("end a run with what it has written so far")
    .option("--json", "print JSON")
    .addHelpText("after", examples(["run stop 3f9c…"]))
    .action((id: string, options: { json?: boolean }) => stop(io, id, options));
}

async function list(
  io: CliIo,
  tenantId: string,
  options: { limit: number; state?: string; json?: boolean },
): Promise<void> {
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const { and, desc, eq } = await import("drizzle-orm");
    const { runs } = await import("../../migrations/schema.ts");
    const { getTenant } = await import("../../homeserver/tenants.ts");
    await getTenant(ctx, tenantId);
    const state = options.state ? eq(runs.state, knownState(options.state)) : undefined;
    const found = await ctx.db
      .select()
      .from(runs)
      .where(and(eq(runs.tenantId, tenantId), state))
      .orderBy(desc(runs.createdAt), desc(runs.id))
      .limit(options.limit);
    const facts = await factsOf(ctx, found, { texts: false });
    if (options.json) return printJson(io, facts);
    const rows = facts.map((one) => [one.id, one.state, one.agent, one.room, one.createdAt, one.error]);
    printTable(io, ["RUN", "STATE", "AGENT", "ROOM", "SINCE", "WHY"], rows, `There are no such runs of ${tenantId}.`);
  });
}

const STATES: RunRow["state"][] = ["queued", "running", "waiting", "done", "stopped", "superseded", "failed"];

function knownState(text: string): RunRow["state"] {
  const found = STATES.find((state) => state === text);
  if (found) return found;
  throw new AppError("invalid", `There is no state "${text}" of runs. Choose one of ${STATES.join(", ")}.`);
}

/** `room` is the room's id; `roomName` the name that we know of it. */
async function factsOf(ctx: Context, found: RunRow[], { texts }: { texts: boolean }) {
  if (found.length === 0) return [];
  const { asc, inArray } = await import("drizzle-orm");
  const { agents, rooms, steps } = await import("../../migrations/schema.ts");
  const ids = found.map((run) => run.id);
  const [allSteps, allAgents, allRooms] = await Promise.all([
    ctx.db.select().from(steps).where(inArray(steps.runId, ids)).orderBy(asc(steps.runId), asc(steps.position)),
    ctx.db
      .select({ id: agents.id, name: agents.name })
      .from(agents)
      .where(inArray(agents.id, unique(found, "agentId"))),
    ctx.db
      .select()
      .from(rooms)
      .where(inArray(rooms.roomId, unique(found, "roomId"))),
  ]);
  const names = new Map(allAgents.map((agent) => [agent.id, agent.name]));
  return found.map((run) => {
    const room = allRooms.find((one) => one.roomId === run.roomId && one.tenantId === run.tenantId);
    return {
      id: run.id,
      state: run.state,
      agent: names.get(run.agentId) ?? run.agentId,
      room: run.roomId,
      roomName: room?.channel ?? room?.state?.name ?? null,
      question: run.questionEvent,
      askedBy: run.askedBy,
      error: run.error,
      errorCode: run.errorCode,
      stopReason: run.stopReason,
      stoppedBy: run.stoppedBy,
      timings: run.timings,
      createdAt: run.createdAt.toISOString(),
      startedAt: run.startedAt?.toISOString() ?? null,
      finishedAt: run.finishedAt?.toISOString() ?? null,
      steps: allSteps
        .filter((step) => step.runId === run.id)
        .map(({ position, kind, state, detail, output, startedAt, finishedAt }) => ({
          position,
          kind,
          state,
          detail,
          startedAt: startedAt.toISOString(),
          finishedAt: finishedAt?.toISOString() ?? null,
          // What a turn with tools holds stands with its calls, without secrets.
          ...(texts && kind !== "tools" ? { output } : {}),
        })),
    };
  });
}

const unique = (found: RunRow[], key: "agentId" | "roomId") => [...new Set(found.map((run) => run[key]))];

async function show(io: CliIo, id: string, { json }: { json?: boolean }): Promise<void> {
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const [facts] = await factsOf(ctx, [await runNamed(ctx, id)], { texts: true });
    if (!facts) throw new AppError("internal", "The run could not be read.");
    const tools = await toolsOf(ctx, id);
    if (json) return printJson(io, { ...facts, tools });
    const { steps, timings, ...rest } = facts;
    for (const [name, value] of Object.entries(rest)) if (value !== null) io.out(`${name.padEnd(12)}${value}`);
    io.out(
      `timings     ${
        Object.entries(timings)
          .map(([name, ms]) => `${name} ${Math.round(ms)}`)
          .join(", ") || "–"
      }`,
    );
    for (const step of steps) {
      io.out(`\nstep ${step.position}: ${step.kind}, ${step.state} ${JSON.stringify(step.detail)}`);
      if (step.output) io.out(step.output);
    }
    for (const tool of tools) printTool(io, tool);
  });
}

async function toolsOf(ctx: Context, id: string): Promise<TimelineTool[]> {
  const { readTools } = await import("../../bots/run-tools.ts");
  return (await readTools(ctx, await runNamed(ctx, id))).tools;
}

/** Without what looks like a secret, as the panel shows it. */
function printTool(io: CliIo, { tool, state, reason, approval, untrusted, result, ...call }: TimelineTool): void {
  const asked = approval ? `, asked: ${approval.state}${approval.name ? ` by ${approval.name}` : ""}` : "";
  io.out(`\ntool ${call.turn + 1}.${call.index + 1}: ${tool}, ${state}${asked}`);
  if (reason) io.out(reason);
  io.out(call.arguments === null ? (call.erased ? "(erased)" : "no arguments") : JSON.stringify(call.arguments));
  if (untrusted) io.out(`from ${untrusted}, which nobody vouches for:`);
  if (result) io.out(result);
  for (const begun of call.runs) io.out(`began run ${begun.id} of ${begun.agentName}: ${begun.state}`);
}

async function stop(io: CliIo, id: string, { json }: { json?: boolean }): Promise<void> {
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const run = await runNamed(ctx, id);
    const { stopRun } = await import("../../bots/runs.ts");
    const told = await stopRun(ctx, run.id, "operator", null);
    if (!told && run.state !== "queued" && run.state !== "running")
      throw new AppError("conflict", `This run is over already: it is ${run.state}.`);
    if (json) return printJson(io, { id: run.id, stopping: true });
    io.out("The run ends with what it has written so far.");
  });
}

/** By its id or the beginning of it, when that is one run's only. */
async function runNamed(ctx: Context, id: string): Promise<RunRow> {
  const { like } = await import("drizzle-orm");
  const { runs } = await import("../../migrations/schema.ts");
  const hex = /^[0-9a-z-]{6,64}$/.test(id);
  const found = hex
    ? await ctx.db
        .select()
        .from(runs)
        .where(like(runs.id, `${id}%`))
        .limit(2)
    : [];
  if (found.length === 1 && found[0]) return found[0];
  if (found.length > 1) throw new AppError("invalid", `Several runs begin with "${id}". Give more of the id.`);
  throw new AppError("not_found", `There is no run "${id}". \`run list <client>\` shows them.`);
}

import type { Command } from "commander";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import type { TenantRow } from "../../homeserver/tenants.ts";
import { type CliIo, examples } from "./arguments.ts";
import { printJson, printTable } from "./io.ts";
import { addTenantSetCommand } from "./tenant-set.ts";

/** One tenant in `--json` output. */
export interface TenantFacts {
  name: string;
  title: string;
  serverName: string;
  homeserverUrl: string;
  state: string;
  detail: string | null;
  driver: string;
}

interface CreateOptions {
  title?: string;
  serverName?: string;
  driver?: string;
  url?: string;
  encryptable?: boolean;
  json?: boolean;
}

const START_MS = 60_000;

export function addTenantCommands(program: Command, io: CliIo): void {
  const tenant = program
    .command("tenant")
    .description("clients, each with a homeserver of its own")
    .addHelpText("after", examples(["tenant create acme"]));
  tenant
    .command("create <name>")
    .description("add a client; waits until its homeserver runs")
    .option("--title <text>", "what people read (default: the name)")
    .option("--server-name <name>", "the homeserver's permanent name (default: <name>.localhost)")
    .option("--driver <driver>", "process: a Synapse of ours; external: one that runs already", "process")
    .option("--url <address>", "where the homeserver answers (driver external)")
    .option("--encryptable", "let people make rooms that agents cannot read")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples([
        "tenant create acme --title 'Acme Ltd'",
        "tenant create old --driver external --url https://matrix.example.org --server-name example.org",
      ]),
    )
    .action((name: string, options: CreateOptions) => create(io, name, options));
  tenant
    .command("list")
    .description("all clients and how their homeservers are")
    .option("--json", "print JSON")
    .addHelpText("after", examples(["tenant list"]))
    .action((options: { json?: boolean }) => list(io, options));
  for (const [verb, desired] of [
    ["start", "running"],
    ["stop", "stopped"],
    ["restart", "running"],
  ] as const)
    tenant
      .command(`${verb} <name>`)
      .description(`${verb} a client's homeserver`)
      .option("--json", "print JSON")
      .addHelpText("after", examples([`tenant ${verb} acme`]))
      .action((name: string, options: { json?: boolean }) =>
        bring(io, name, { ...options, desired, restart: verb === "restart" }),
      );
  addTenantSetCommand(tenant, io);
  tenant
    .command("remove <name>")
    .description("remove a client with everything of it; asks for its name")
    .option("--confirm <name>", "its name once more, in place of the question")
    .option("--no-backup", "keep nothing of it")
    .option("--json", "print JSON")
    .addHelpText("after", examples(["tenant remove acme", "tenant remove acme --confirm acme --no-backup"]))
    .action((name: string, options: { confirm?: string; backup: boolean; json?: boolean }) =>
      remove(io, name, options),
    );
}

async function create(io: CliIo, name: string, options: CreateOptions): Promise<void> {
  const { driver } = options;
  if (driver !== "process" && driver !== "external")
    throw new AppError("invalid", `There is no driver "${driver}". Choose process or external.`);
  if (driver === "external" && !(options.url && options.serverName))
    throw new AppError("invalid", "An external homeserver needs --url and --server-name.");
  await onRunningPlatform(async (ctx) => {
    const { createTenant } = await import("../../homeserver/tenants.ts");
    const { title, serverName, url } = options;
    await createTenant(ctx, {
      id: name,
      title,
      serverName,
      driver,
      url,
      config: options.encryptable ? { readableRooms: false } : {},
    });
    const row = await untilState(ctx, io, name, "running");
    if (options.json) return printJson(io, await facts(row));
    if (row.state === "running")
      io.out(`${row.title} runs at ${row.homeserverUrl} with the server name ${row.serverName}.`);
    if (row.stateDetail) io.out(row.stateDetail);
  });
}

async function list(io: CliIo, { json }: { json?: boolean }): Promise<void> {
  const { platformState, withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const { listTenants } = await import("../../homeserver/tenants.ts");
    const { tenantFacts } = await import("./tenant-facts.ts");
    const running = (await platformState(ctx.config)) !== "stopped";
    const all = await Promise.all((await listTenants(ctx)).map((row) => tenantFacts(row, running)));
    if (json) return printJson(io, all);
    const rows = all.map((one) => [one.name, one.title, one.state, one.homeserverUrl, one.serverName]);
    printTable(
      io,
      ["NAME", "TITLE", "STATE", "HOMESERVER", "SERVER NAME"],
      rows,
      "There are no clients yet. `tenant create` adds one.",
    );
  });
}

async function bring(
  io: CliIo,
  name: string,
  { desired, restart, json }: { desired: "running" | "stopped"; restart: boolean; json?: boolean },
): Promise<void> {
  await onRunningPlatform(async (ctx) => {
    const { getTenant, setDesired } = await import("../../homeserver/tenants.ts");
    if ((await getTenant(ctx, name)).state === "removing") throw new AppError("conflict", `${name} is being removed.`);
    if (restart) {
      await setDesired(ctx, name, "stopped");
      await untilState(ctx, io, name, "stopped");
    }
    await setDesired(ctx, name, desired);
    const row = await untilState(ctx, io, name, desired);
    if (json) return printJson(io, await facts(row));
    if (row.state !== desired) return io.out(row.stateDetail ?? row.state);
    io.out(desired === "running" ? `${name} runs at ${row.homeserverUrl}.` : `${name} is stopped.`);
  });
}

async function remove(
  io: CliIo,
  name: string,
  options: { confirm?: string; backup: boolean; json?: boolean },
): Promise<void> {
  await onRunningPlatform(async (ctx) => {
    const { getTenant, requestRemoval } = await import("../../homeserver/tenants.ts");
    await getTenant(ctx, name);
    const question = `This removes ${name} with its homeserver, rooms, agents and accounts. Type its name to go on: `;
    const typed = options.confirm ?? (await io.ask(question));
    if (typed.trim() !== name)
      throw new AppError("invalid", `"${typed.trim()}" is not "${name}", so nothing was removed.`);
    const { backup } = await requestRemoval(ctx, name, { keepBackup: options.backup });
    await untilGone(ctx, io, name);
    if (options.json) return printJson(io, { name, backup });
    io.out(backup ? `${name} was removed. What it held lies in ${backup}` : `${name} was removed.`);
  });
}

/** What changes a homeserver is done by the running platform: without one nobody would do it. */
async function onRunningPlatform(work: (ctx: Context) => Promise<void>): Promise<void> {
  const { notRunning, platformState, withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    if ((await platformState(ctx.config)) === "stopped") throw notRunning(ctx.config.home);
    await work(ctx);
  });
}

const facts = async (row: TenantRow) => (await import("./tenant-facts.ts")).tenantFacts(row, true);

/** Waits with a line for each new state. Throws with the row's own sentence when it cannot become what is wanted. */
async function untilState(ctx: Context, io: CliIo, name: string, wanted: "running" | "stopped"): Promise<TenantRow> {
  const { getTenant } = await import("../../homeserver/tenants.ts");
  const until = performance.now() + START_MS;
  for (let said = ""; ; await pause()) {
    const row = await getTenant(ctx, name);
    if (row.state === wanted) return row;
    // Someone has to change that homeserver first; the row says what.
    if (row.driver === "external" && wanted === "running" && row.stateDetail) return row;
    if (wanted === "running" && (row.state === "failed" || row.state === "crash_loop"))
      throw new AppError(
        "homeserver_down",
        `The homeserver of ${name} does not start. ${row.stateDetail ?? ""}`.trim(),
      );
    const now = wanted === "stopped" ? "stopping" : row.state.replace("_", " ");
    if (now !== said) io.err(`${name}: ${now} …`);
    said = now;
    if (performance.now() > until)
      throw new AppError(
        "homeserver_down",
        `${name} is not ${wanted} after a minute: ${row.stateDetail ?? row.state}. \`status\` shows how it goes on.`,
      );
  }
}

async function untilGone(ctx: Context, io: CliIo, name: string): Promise<void> {
  const { listTenants } = await import("../../homeserver/tenants.ts");
  const until = performance.now() + START_MS * 5;
  io.err(`Removing ${name} …`);
  for (;;) {
    const row = (await listTenants(ctx)).find(({ id }) => id === name);
    if (!row) return;
    if (row.state === "failed")
      throw new AppError("internal", `${name} could not be removed. ${row.stateDetail ?? ""}`);
    if (performance.now() > until)
      throw new AppError("internal", `${name} is still being removed; \`status\` shows how it goes on.`);
    await pause();
  }
}

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 150));

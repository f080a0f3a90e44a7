import type { Command } from "commander";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { type CliIo, examples } from "./arguments.ts";
import { printJson, printTable } from "./io.ts";
import type { TenantFacts } from "./tenant.ts";

interface Status {
  /** Address of the people's pages; null where none was chosen yet. */
  url: string | null;
  state: "running" | "starting" | "stopped";
  tenants: TenantFacts[];
}

export function addStatusCommand(program: Command, io: CliIo): void {
  program
    .command("status")
    .description("what runs, and where")
    .option("--json", "print JSON")
    .addHelpText("after", examples(["status", "status --json"]))
    .action((options: { json?: boolean }) => status(io, options));
}

const SENTENCES = {
  running: (url: string | null) => `Agentopia runs at ${url}`,
  starting: () => "Agentopia is starting.",
  stopped: () => "Agentopia does not run. Start it with `npm start`.",
};

/** Exit code 1 when the platform does not run; with --json the facts are printed all the same. */
async function status(io: CliIo, { json }: { json?: boolean }): Promise<void> {
  const { withPlatform } = await import("./connect.ts");
  let facts: Status;
  try {
    facts = await withPlatform(readStatus);
  } catch (error) {
    if (!json || !(error instanceof AppError)) throw error;
    facts = { url: null, state: "stopped", tenants: [] };
    io.err(error.sentence);
  }
  if (facts.state !== "running") io.fail();
  if (json) return printJson(io, facts);
  io.out(SENTENCES[facts.state](facts.url));
  io.out("");
  const rows = facts.tenants.map((tenant) => [tenant.name, tenant.state, tenant.homeserverUrl, tenant.serverName]);
  printTable(io, ["CLIENT", "STATE", "HOMESERVER", "SERVER NAME"], rows, "There are no clients yet.");
  for (const { name, detail } of facts.tenants) if (detail) io.out(`\n${name}: ${detail}`);
}

async function readStatus(ctx: Context): Promise<Status> {
  const { listTenants } = await import("../../homeserver/tenants.ts");
  const { publicUrl } = await import("../public-url.ts");
  const { platformState } = await import("./connect.ts");
  const { tenantFacts } = await import("./tenant-facts.ts");
  const [state, url, rows] = await Promise.all([platformState(ctx.config), publicUrl(ctx), listTenants(ctx)]);
  const facts = await Promise.all(rows.map((row) => tenantFacts(row, state !== "stopped")));
  return { url, state, tenants: facts };
}

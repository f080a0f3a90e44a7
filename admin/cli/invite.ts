import { type Command, Option } from "commander";
import { type CliIo, duration, examples, wholeNumber } from "./arguments.ts";
import { printJson, printTable } from "./io.ts";

interface CreateOptions {
  team?: string;
  uses: number;
  expires: number;
  username?: string;
  json?: boolean;
}

export function addInviteCommands(program: Command, io: CliIo): void {
  const invite = program
    .command("invite")
    .description("links by which people get accounts")
    .addHelpText("after", examples(["invite create demo"]));
  invite
    .command("create <client>")
    .description("make an invite link; it is shown this once")
    .option("--team <name>", "the team to join (default: the client's first)")
    .option("--uses <number>", "how many accounts it makes", wholeNumber, 1)
    .addOption(
      new Option("--expires <time>", "how long it lives: 30m, 12h, 7d")
        .argParser(duration)
        .default(7 * 86_400_000, "7d"),
    )
    .option("--username <name>", "only for this user name")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples([
        "invite create demo",
        "invite create demo --team Marketing --uses 20 --expires 30d",
        "invite create demo --username alice --json",
      ]),
    )
    .action((client: string, options: CreateOptions) => create(io, client, options));
  invite
    .command("list <client>")
    .description("a client's links, newest first")
    .option("--json", "print JSON")
    .addHelpText("after", examples(["invite list demo"]))
    .action((client: string, options: { json?: boolean }) => list(io, client, options));
  invite
    .command("revoke <id>")
    .description("end a link; accounts that it made stay")
    .option("--json", "print JSON")
    .addHelpText("after", examples(["invite revoke 0b51c9a2-…"]))
    .action((id: string, options: { json?: boolean }) => revoke(io, id, options));
}

async function create(io: CliIo, tenantId: string, options: CreateOptions): Promise<void> {
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const { createInvite } = await import("../invites.ts");
    const { team: teamName, uses: maxUses, expires: ttl, username } = options;
    const made = await createInvite(ctx, { tenantId, teamName, maxUses, ttl, username });
    if (options.json) return printJson(io, made);
    io.out(made.url);
    io.out(`It makes ${maxUses === 1 ? "one account" : `${maxUses} accounts`} until ${made.expiresAt}.`);
  });
}

async function list(io: CliIo, tenantId: string, { json }: { json?: boolean }): Promise<void> {
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const { listInvites } = await import("../invites.ts");
    const all = await listInvites(ctx, tenantId);
    if (json) return printJson(io, all);
    const rows = all.map((one) => [
      one.id,
      one.state,
      one.team,
      `${one.uses}/${one.maxUses}`,
      one.username ?? "any",
      one.expiresAt,
    ]);
    printTable(
      io,
      ["ID", "STATE", "TEAM", "USED", "NAME", "EXPIRES"],
      rows,
      `There are no invite links of ${tenantId}.`,
    );
  });
}

async function revoke(io: CliIo, id: string, { json }: { json?: boolean }): Promise<void> {
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const { revokeInvite } = await import("../invites.ts");
    const { tenantId } = await revokeInvite(ctx, id);
    if (json) return printJson(io, { id, tenantId });
    io.out("The link makes no more accounts.");
  });
}

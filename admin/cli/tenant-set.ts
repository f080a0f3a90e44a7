import type { Command } from "commander";
import type { TenantLimits } from "../../migrations/types.ts";
import { type CliIo, examples, wholeNumber } from "./arguments.ts";
import { printJson } from "./io.ts";

interface SetOptions {
  tokensPerDay?: number;
  maxHops?: number;
  retentionDays?: number;
  json?: boolean;
}

/** `tenant set`: a client's limits, and how long texts are kept. Without an option it only shows them. */
export function addTenantSetCommand(tenant: Command, io: CliIo): void {
  tenant
    .command("set <name>")
    .description("show or change a client's limits, and how long the platform keeps texts")
    .option("--tokens-per-day <number>", "model tokens that its agents may use on one UTC day", wholeNumber)
    .option("--max-hops <number>", "agents in a row that may ask each other before the chain ends", wholeNumber)
    .option(
      "--retention-days <number>",
      "days for which the platform keeps texts of questions and answers",
      wholeNumber,
    )
    .option("--json", "print JSON")
    .addHelpText("after", examples(["tenant set acme", "tenant set acme --tokens-per-day 200000 --retention-days 30"]))
    .action((name: string, options: SetOptions) => set(io, name, options));
}

async function set(io: CliIo, name: string, options: SetOptions): Promise<void> {
  const limits: TenantLimits = {};
  const { tokensPerDay, maxHops, retentionDays } = options;
  if (tokensPerDay !== undefined) limits.tokensPerDay = tokensPerDay;
  if (maxHops !== undefined) limits.maxHops = maxHops;
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const { getTenant } = await import("../../homeserver/tenants.ts");
    const { limitsOf } = await import("../../bots/limits.ts");
    await getTenant(ctx, name);
    await ctx.sql`update tenants set limits = limits || ${ctx.sql.json(limits as Record<string, number>)},
      retention_days = coalesce(${retentionDays ?? null}::integer, retention_days) where id = ${name}`;
    const row = await getTenant(ctx, name);
    const now = limitsOf(row);
    const shown = { name, tokensPerDay: now.tokensPerDay, maxHops: now.maxHops, retentionDays: row.retentionDays };
    if (options.json) return printJson(io, shown);
    io.out(
      `${name} may use ${shown.tokensPerDay} tokens a day; chains of agents end after ${shown.maxHops}; texts are kept for ${shown.retentionDays} days.`,
    );
  });
}

import type { Command } from "commander";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import type { Operator } from "../sign-in/operators.ts";
import { type CliIo, duration, examples } from "./arguments.ts";
import { printJson, printTable } from "./io.ts";

interface LinkOptions {
  expires?: number;
  resetSecondFactor?: boolean;
  json?: boolean;
}

export function addOperatorCommands(program: Command, io: CliIo): void {
  const operator = program
    .command("operator")
    .description("accounts of those who run the platform, and the way back in")
    .addHelpText("after", examples(["operator list", "operator link"]));
  operator
    .command("list")
    .description("operators, and whether they can sign in")
    .option("--json", "print JSON")
    .addHelpText("after", examples(["operator list"]))
    .action((options: { json?: boolean }) => list(io, options));
  operator
    .command("link [name]")
    .description("a new one-time link with which an operator sets a password; the links before end")
    .option("--expires <time>", "how long it lives: 30m, 12h, 7d (default: 2d)", duration)
    .option("--reset-second-factor", "turn the second factor off, for a lost phone and lost recovery codes")
    .option("--json", "print JSON")
    .addHelpText("after", examples(["operator link", "operator link admin --reset-second-factor"]))
    .action((name: string | undefined, options: LinkOptions) => link(io, name, options));
}

async function list(io: CliIo, { json }: { json?: boolean }): Promise<void> {
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const { listOperators } = await import("../sign-in/operators.ts");
    const facts = (await listOperators(ctx)).map(factsOf);
    if (json) return printJson(io, facts);
    const rows = facts.map(({ name, state, hasPassword, secondFactor, lastSignInAt }) => [
      name,
      state,
      hasPassword ? "set" : "not set yet",
      secondFactor ? "on" : "off",
      lastSignInAt ?? "never",
    ]);
    const headings = ["NAME", "STATE", "PASSWORD", "SECOND FACTOR", "LAST SIGN-IN"];
    printTable(io, headings, rows, "There is no operator yet. `operator link` makes the first one.");
  });
}

const factsOf = ({ id, lastSignInAt, createdAt, ...facts }: Operator) => ({
  ...facts,
  lastSignInAt: lastSignInAt === null ? null : new Date(lastSignInAt).toISOString(),
  createdAt: new Date(createdAt).toISOString(),
});

async function link(io: CliIo, name: string | undefined, options: LinkOptions): Promise<void> {
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const { linkForOperator } = await import("../sign-in/first-operator.ts");
    const { setOperatorState } = await import("../sign-in/operators.ts");
    const { writeAudit } = await import("../audit.ts");
    const { commandLineActor } = await import("./actor.ts");
    const operator = await chosen(ctx, name);
    const actor = commandLineActor();
    const { resetSecondFactor = false, expires: ttlMs } = options;
    const enabled = operator.state === "disabled";
    // Whoever has the machine gets in, even when all operators were locked out.
    if (enabled) await setOperatorState(ctx, operator.id, "active");
    const made = await linkForOperator(ctx, operator.id, { createdBy: actor.name, resetSecondFactor, ttlMs });
    await writeAudit(ctx, {
      actor,
      tenantId: null,
      action: "operators.link",
      target: { kind: "operator", id: operator.id, name: operator.name },
      after: { secondFactorReset: resetSecondFactor, ...(enabled ? { state: "active" } : {}) },
    });
    const expiresAt = made.expiresAt.toISOString();
    if (options.json) return printJson(io, { name: operator.name, url: made.url, expiresAt });
    io.out(made.url);
    io.out(`It lets ${operator.name} set a password and sign in, once, until ${expiresAt}.`);
    if (enabled) io.out("The account was disabled; it is enabled again.");
    if (operator.secondFactor && !resetSecondFactor)
      io.out("A code of the second factor is asked for too. --reset-second-factor turns it off.");
  });
}

/** The named operator, else the only one; where there is none, the first one is made. Throws `not_found`, `invalid`. */
async function chosen(ctx: Context, name: string | undefined): Promise<Operator> {
  const { listOperators, operatorByName } = await import("../sign-in/operators.ts");
  const { makeFirstOperator } = await import("../sign-in/first-operator.ts");
  if (name !== undefined) return await operatorByName(ctx, name);
  const all = await listOperators(ctx);
  const [only, ...others] = all;
  if (!only) return await makeFirstOperator(ctx);
  if (others.length === 0) return only;
  const names = all.map((one) => `"${one.name}"`).join(", ");
  throw new AppError(
    "invalid",
    `There are several operators: ${names}. Say whose link it is, as in \`operator link ${only.name}\`.`,
  );
}

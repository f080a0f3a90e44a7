/** The command line. Commands load what they need when they run, so that `--help` is there at once. */
import { Command, CommanderError } from "commander";
import { AppError } from "../../core/errors.ts";
import { addAgentCommands } from "./agent.ts";
import { examples } from "./arguments.ts";
import { addDataCommands } from "./data.ts";
import { withHint } from "./hints.ts";
import { addInviteCommands } from "./invite.ts";
import { endWithReader, type Io, terminal } from "./io.ts";
import { addModelCommands } from "./model.ts";
import { addOperatorCommands } from "./operator.ts";
import { addRunCommands } from "./run.ts";
import { addStatusCommand } from "./status.ts";
import { addTeamCommands } from "./team.ts";
import { addTenantCommands } from "./tenant.ts";

/** Those that people look for first; they are read from the environment at the start. */
const SETTINGS = `

Settings (variables of the environment when the platform starts; docs/operations.md has them all):
  AGENTOPIA_HOME         the data folder
  AGENTOPIA_URL          the address that people see, behind a reverse proxy
  AGENTOPIA_ALLOW_HOSTS  local and private hosts that models, mail, search, pages and calls may reach,
                         as host or host:port: 127.0.0.1:1025,searx.lan`;

/**
 * Runs one command; `argv` without program and script. Returns the exit code: 0, or 1 after a sentence on stderr.
 */
export async function runCli(argv: string[], io: Io = terminal): Promise<number> {
  if (io === terminal) endWithReader();
  const exit = { code: 0 };
  const program = new Command("agentopia")
    .description("A chat platform on Matrix with AI agents as members of the rooms.")
    .usage("<command> [options]")
    .showHelpAfterError("Add --help to see how it is used.")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
      outputError: (text, write) => write(sentence(text)),
    });
  const add = [
    addStatusCommand,
    addTenantCommands,
    addTeamCommands,
    addInviteCommands,
    addAgentCommands,
    addModelCommands,
    addRunCommands,
    addOperatorCommands,
    addDataCommands,
  ];
  for (const addTo of add)
    addTo(program, {
      ...io,
      fail: () => {
        exit.code = 1;
      },
    });
  program.addHelpText(
    "after",
    examples([
      "status",
      "invite create demo",
      'agent create demo --name Writer --instructions "You write short texts."',
    ]) + SETTINGS,
  );
  for (const command of allCommands(program)) command.copyInheritedSettings(program);
  try {
    if (argv.length === 0) {
      io.out(program.helpInformation().trimEnd());
      return 0;
    }
    await program.parseAsync(argv, { from: "user" });
    return exit.code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1; // it has said what was wrong
    io.err(error instanceof AppError ? withHint(error) : await unexpected(error));
    return 1;
  }
}

function* allCommands(command: Command): Generator<Command> {
  for (const child of command.commands) {
    yield child;
    yield* allCommands(child);
  }
}

function sentence(text: string): string {
  const plain = text.replace(/^error: /, "").trimEnd();
  return `${plain.charAt(0).toUpperCase()}${plain.slice(1)}${/[.?)]$/.test(plain) ? "" : "."}\n`;
}

/** Nobody foresaw it: the sentence names the file that holds the rest. */
async function unexpected(error: unknown): Promise<string> {
  const { appendFileSync, existsSync } = await import("node:fs");
  const { tmpdir } = await import("node:os");
  const path = await import("node:path");
  const { loadConfig } = await import("../../core/config.ts");
  const { isTransient } = await import("../../core/database.ts");
  const { systemClock } = await import("../../core/clock.ts");
  if (isTransient(error)) return "The database does not answer any more. Look at `status` and try again.";
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const logs = path.join(loadConfig().home, "logs");
  // A restore that failed must find its folder as empty as it was.
  const file = path.join(existsSync(logs) ? logs : tmpdir(), "agentopia-errors.log");
  try {
    appendFileSync(file, `${new Date(systemClock.now()).toISOString()} ${text}\n`, { mode: 0o600 });
    return `Something went wrong that should not have. What happened stands in ${file}.`;
  } catch {
    // The disk may be what is wrong; then the first line has to do.
    return `Something went wrong that should not have: ${text.split("\n")[0]}`;
  }
}

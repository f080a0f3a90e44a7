import path from "node:path";
import type { Command } from "commander";
import { AppError } from "../../core/errors.ts";
import { type CliIo, examples } from "./arguments.ts";
import { printJson } from "./io.ts";

export function addDataCommands(program: Command, io: CliIo): void {
  program
    .command("backup <file>")
    .description("write everything (databases, keys, media) into one file, while it runs or not")
    .option("--force", "overwrite the file if it is there")
    .option("--json", "print JSON")
    .addHelpText("after", examples(["backup agentopia-2026-01-31.tar.gz"]))
    .action(async (file: string, options: { force?: boolean; json?: boolean }) => {
      const { backup } = await import("../backup.ts");
      const { loadConfig } = await import("../../core/config.ts");
      const made = await backup(loadConfig(), path.resolve(file), {
        overwrite: options.force === true,
        say: io.err,
        signal: untilStopped(),
      });
      if (options.json) return printJson(io, made);
      io.out(
        `${made.file} holds ${made.tenants.length} client(s), ${made.bytes} bytes. Keep it safe: it holds every key and message.`,
      );
    });
  program
    .command("restore <file>")
    .description("put a backup into an empty data folder; `npm start` then goes on from it")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(["restore agentopia-2026-01-31.tar.gz"]) +
        "\n\nThe data folder is .agentopia, or what AGENTOPIA_HOME names.",
    )
    .action(async (file: string, options: { json?: boolean }) => {
      const { restore } = await import("../restore.ts");
      const { loadConfig } = await import("../../core/config.ts");
      const made = await restore(loadConfig(), path.resolve(file), { say: io.err, signal: untilStopped() });
      if (options.json) return printJson(io, made);
      io.out(
        `${made.home} holds ${made.tenants.length} client(s) from ${made.createdAt}. Start it with \`npm start\`.`,
      );
    });
}

/** Ctrl-C ends it in order, with what was half-made taken away again. */
function untilStopped(): AbortSignal {
  const stopped = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => stopped.abort(new AppError("setup", "Stopped. What was half-made is gone again.")));
  return stopped.signal;
}

import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "./config.ts";
import { AppError } from "./errors.ts";
import { killAllOf } from "./leftovers.ts";
import { type Log, openLog } from "./log.ts";
import { createShutdown, Interrupted, type Shutdown } from "./shutdown.ts";
import { explainTrouble } from "./trouble.ts";

/** What a long-lived command works with from its first line to its last. */
export interface Life {
  config: Config;
  log: Log;
  say(line: string): void;
  /** Says how something that was just started ends. */
  onEnd: Shutdown["add"];
  /** Ends everything because of something that went wrong. */
  fail(error: unknown): void;
}

/** How long a start that a signal cut short may take to end what it was just starting. */
const CUT_SHORT_MS = 8000;
/** npm passes a Ctrl-C on that the terminal has sent to us already: the same one, not a second. */
const SAME_SIGNAL_MS = 800;

/**
 * Runs `begin` and lives until a signal: the first ends everything in order (exit code 0), a second one at once. What goes wrong
 * at the start or later is said in one sentence, everything is ended, exit code 1.
 */
export function live(config: Config, name: string, begin: (life: Life) => Promise<void>): void {
  const logFile = path.join(config.home, `logs/${name}.log`);
  const log = openLog({ file: logFile, level: config.logLevel });
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const shutdown = createShutdown((part, error) => log.error({ err: error, part }, "did not end as it should"));
  let starting: Promise<unknown> = Promise.resolve();

  async function end(code: number): Promise<never> {
    await shutdown.run();
    await Promise.race([starting, sleep(CUT_SHORT_MS)]);
    process.exit(code);
  }

  function failed(error: unknown): void {
    if (shutdown.begun) {
      log.warn({ err: error }, "while ending");
      return;
    }
    const known = explainTrouble(error, config.home);
    log.fatal({ err: error }, "ends");
    process.stderr.write(`${known instanceof AppError ? known.sentence : unexpected(error, logFile)}\n`);
    void end(1);
  }

  let firstAt: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      firstAt ??= performance.now();
      if (performance.now() - firstAt > SAME_SIGNAL_MS) {
        killAllOf(config.home);
        process.exit(130);
      }
      if (shutdown.begun) return;
      say("Stopping …");
      void end(0);
    });
  process.on("uncaughtException", failed);
  // Warnings of Node and of libraries are for those who read logs.
  process.removeAllListeners("warning").on("warning", (warning) => log.warn({ err: warning }, "warning"));
  // A promise that nobody waits for is no reason to end what everybody else waits for.
  process.on("unhandledRejection", (error) => log.error({ err: error }, "a failure that nobody took care of"));
  starting = begin({ config, log, say, onEnd: shutdown.add, fail: failed }).catch((error: unknown) => {
    if (!(error instanceof Interrupted)) failed(error);
  });
}

function unexpected(error: unknown, logFile: string): string {
  const text = error instanceof Error ? error.message : String(error);
  return `Agentopia ended because of something unforeseen (${text.split("\n")[0]}). ${logFile} has the details; start it again.`;
}

/** How the processes of offload.ts are started. */
import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";
import { ROOT } from "../../core/config.ts";

const folder = (...parts: string[]) => path.join(ROOT, ...parts, path.sep);

/** It may read our code and nothing else, reach nothing, start nothing, and knows no variable of ours. */
export const SANDBOX = [
  "--permission",
  ...[folder("node_modules"), folder("bots", "tools"), folder("core"), path.join(ROOT, "package.json")].map(
    (place) => `--allow-fs-read=${place}`,
  ),
  // For its watchdog.
  "--allow-worker",
  "--disallow-code-generation-from-strings",
  "--max-old-space-size=256",
  "--disable-warning=SecurityWarning",
  "--disable-warning=ExperimentalWarning",
];

export const startProcess = (): ChildProcess =>
  fork(path.join(import.meta.dirname, "offloaded.ts"), [], {
    execArgv: SANDBOX,
    env: {},
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });

/** Whether we wait for it before we end: only while it works. */
export function hold(child: ChildProcess, how: "ref" | "unref"): void {
  child[how]();
  child.channel?.[how]();
  (child.stderr as unknown as { ref(): void; unref(): void } | null)?.[how]();
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { ROOT } from "../../core/config.ts";

/** `main.ts start` over a home folder, for tests of how a start goes; `platform.ts` of the harness is for those of what runs. */
export interface Started {
  child: ChildProcess;
  output(): string;
  /** Resolves with the exit code. */
  ended: Promise<number | null>;
}

export function startMain(home: string, env: Record<string, string> = {}): Started {
  const child = spawn(path.join(ROOT, "node_modules/.bin/node"), ["main.ts", "start"], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, AGENTOPIA_HOME: home, AGENTOPIA_LOCAL_MODEL_PORTS: "none", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (part) => {
      output += part;
    });
  return { child, output: () => output, ended: once(child, "close").then(([code]) => code as number | null) };
}

/** A start that is meant to end by itself: its exit code and everything that it printed. */
export async function startAndEnd(home: string, env: Record<string, string> = {}): Promise<[number | null, string]> {
  const started = startMain(home, env);
  const code = await started.ended;
  return [code, started.output()];
}

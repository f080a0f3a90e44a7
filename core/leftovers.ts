import { globSync } from "node:fs";
import path from "node:path";
import { adopt, killNow, type ProcessHandle } from "./processes.ts";

/** Every process that a pid file in the home folder names and that still runs. */
export function leftovers(home: string): ProcessHandle[] {
  return globSync("{*.pid,synapse/**/*.pid}", { cwd: home }).flatMap(
    (name) => adopt({ name, pidFile: path.join(home, name) }) ?? [],
  );
}

/** Ends them at once: for people who cannot wait for the orderly end. */
export function killAllOf(home: string): void {
  for (const left of leftovers(home)) killNow(left);
}

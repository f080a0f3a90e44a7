import { globSync } from "node:fs";
import path from "node:path";
import { adopt, killNow } from "./processes.ts";

/** Ends at once every process that a pid file in the home folder names: for people who cannot wait for the orderly end. */
export function killAllOf(home: string): void {
  for (const pidFile of globSync("{*.pid,synapse/**/*.pid}", { cwd: home })) {
    const left = adopt({ name: pidFile, pidFile: path.join(home, pidFile) });
    if (left) killNow(left);
  }
}

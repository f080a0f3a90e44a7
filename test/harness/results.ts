import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../../core/config.ts";

/** Where failing tests leave their logs: one folder a test under `test/results`. */
export const RESULTS = path.join(ROOT, "test/results");

/** Makes and returns the folder for a test or test file named `name`. */
export function makeResultsFolder(name: string): string {
  const folder = path.join(RESULTS, name.replace(/[^\w.-]+/g, "-").slice(0, 120));
  mkdirSync(folder, { recursive: true });
  return folder;
}

const KEPT_MS = 20 * 60_000;

/** Takes away what older runs left; not what a run that is under way beside this one has just written. */
export function clearOldResults(): void {
  if (!existsSync(RESULTS)) return;
  for (const name of readdirSync(RESULTS)) {
    const entry = path.join(RESULTS, name);
    if (Date.now() - statSync(entry).mtimeMs > KEPT_MS) rmSync(entry, { recursive: true, force: true });
  }
}

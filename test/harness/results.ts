import { mkdirSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../../core/config.ts";

/** Where failing tests leave their logs: one folder a test under `test/results`, emptied when a run begins. */
export const RESULTS = path.join(ROOT, "test/results");

/** Makes and returns the folder for a test or test file named `name`. */
export function makeResultsFolder(name: string): string {
  const folder = path.join(RESULTS, name.replace(/[^\w.-]+/g, "-").slice(0, 120));
  mkdirSync(folder, { recursive: true });
  return folder;
}

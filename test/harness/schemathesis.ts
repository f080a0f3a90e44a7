/** Schemathesis: reads the API's description and sends it everything that it allows, and much that it does not. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../../core/config.ts";

const run = promisify(execFile);
const FOLDER = path.join(ROOT, ".runtime/schemathesis");
const REQUIREMENTS = path.join(ROOT, "test/requirements.txt");

/** The program, installed when it is not there yet (some 20 s, from PyPI). */
export async function installSchemathesis(): Promise<string> {
  const program = path.join(FOLDER, "bin/schemathesis");
  const stamp = path.join(FOLDER, "agentopia.stamp");
  const wanted = createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return program;
  rmSync(FOLDER, { recursive: true, force: true });
  // The Python that setup.mjs found good for Synapse.
  await run(path.join(ROOT, ".runtime/python/bin/python3"), ["-m", "venv", FOLDER]);
  const pip = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--quiet", "-r", REQUIREMENTS];
  await run(path.join(FOLDER, "bin/python"), pip);
  writeFileSync(stamp, wanted);
  return program;
}

/** Runs it over a description. Returns what it printed and whether everything held. */
export async function fuzz(options: {
  schema: object;
  url: string;
  headers: Record<string, string>;
  folder: string;
  examples: number;
}): Promise<{ ok: boolean; cases: number; output: string }> {
  const program = await installSchemathesis();
  const file = path.join(options.folder, "openapi.json");
  writeFileSync(file, JSON.stringify(options.schema));
  const args = ["run", file, "--url", options.url, "--checks", CHECKS, "--phases", "examples,coverage,fuzzing"];
  args.push("--max-examples", String(options.examples), "--seed", "4", "--no-color", "--continue-on-failure");
  // One worker: threads that compile at once break Python 3.11 (its issue 106905).
  args.push("--suppress-health-check", "all", "--warnings", "off", "--workers", "1");
  for (const [name, value] of Object.entries(options.headers)) args.push("--header", `${name}: ${value}`);
  try {
    const { stdout } = await run(program, args, { cwd: options.folder, maxBuffer: 64 * 1024 * 1024 });
    return { ok: true, cases: casesIn(stdout), output: stdout };
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    return { ok: false, cases: casesIn(stdout), output: `${stdout}\n${stderr}` };
  }
}

/** How many requests it made, by its summary: none would hold everything as well. */
const casesIn = (output: string): number => Number(/(\d+) generated/.exec(output)?.[1] ?? 0);

/** No fault of ours for any input, and every answer as it is described. */
const CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

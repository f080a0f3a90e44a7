/** `npm run check`: types, lint and format, and the boundaries of the house, side by side. Exits 1 when one fails. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { type Breach, boundaryBreaches } from "./boundaries.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const bin = (name: string) => path.join(ROOT, "node_modules/.bin", name);

interface Verdict {
  name: string;
  /** What is wrong; empty when nothing is. */
  output: string;
  ms: number;
}

const verdicts = await Promise.all([
  measured("types", () => program("tsc", [])),
  measured("types of the panel", () => program("tsc", ["-p", "admin/web"])),
  measured("lint and format", () => program("biome", ["check", "--error-on-warnings"])),
  measured("boundaries", boundaries),
]);
for (const { name, output, ms } of verdicts) {
  console.log(`${output ? "✗" : "✓"} ${name} (${Math.round(ms)} ms)`);
  if (output) console.log(output.replace(/^/gm, "  "));
}
process.exitCode = verdicts.some(({ output }) => output) ? 1 : 0;

async function measured(name: string, check: () => Promise<string>): Promise<Verdict> {
  const began = performance.now();
  return { name, output: await check(), ms: performance.now() - began };
}

async function program(name: string, args: string[]): Promise<string> {
  try {
    await promisify(execFile)(bin(name), args, { cwd: ROOT, maxBuffer: 32 * 1024 * 1024 });
    return "";
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as { stdout?: string; stderr?: string; message: string };
    return `${stdout}${stderr}`.trim() || message;
  }
}

/** Over every source file that git knows or would take. */
async function boundaries(): Promise<string> {
  const { stdout } = await promisify(execFile)(
    "git",
    ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts", "*.tsx", "*.mjs"],
    { cwd: ROOT },
  );
  const files = stdout.split("\n").filter((file) => file && existsSync(path.join(ROOT, file)));
  const breaches = files.flatMap((file) => boundaryBreaches(file, readFileSync(path.join(ROOT, file), "utf8")));
  return breaches.map(sentence).join("\n");
}

function sentence({ file, line, what, reason }: Breach): string {
  return `${file}:${line}  ${what}\n    ${reason}`;
}

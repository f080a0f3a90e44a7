import { execFile } from "node:child_process";
import { existsSync, globSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { ROOT } from "../../core/config.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "e2e-docs" });
const DOCS = ["README.md", ...globSync("docs/**/*.md", { cwd: ROOT })];
/** What other tests run, or this one could only run within itself. */
const ELSEWHERE = new Set(["npm start", "npm test"]);

interface Line {
  file: string;
  command: string;
}

/** The lines of every `sh` block, in the order in which a reader meets them. */
function commandsOf(file: string): Line[] {
  const text = readFileSync(path.join(ROOT, file), "utf8");
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? "");
  return blocks.flatMap((block) => block.split("\n").filter(Boolean)).map((command) => ({ file, command }));
}

/** Paths of the docs' examples, moved into a folder of this test. */
const folder = path.join(tmpdir(), `agentopia-docs-${process.pid}`);
const here = (command: string) => command.replaceAll("/tmp/agentopia-", `${folder}-`);

afterAll(() => {
  for (const left of globSync(`${folder}-*`)) rmSync(left, { recursive: true, force: true });
});

test("every command in README and docs does what it says", { timeout: 240_000 }, async () => {
  const lines = DOCS.flatMap(commandsOf).filter(({ command }) => !ELSEWHERE.has(command));
  expect(lines.length).toBeGreaterThan(8);
  for (const { file, command } of lines) {
    const env = { ...process.env, AGENTOPIA_HOME: shared.platform.home };
    const { stdout } = await promisify(execFile)("sh", ["-c", here(command)], { cwd: ROOT, env }).catch(
      (error: Error) => {
        throw new Error(`${file}: ${command}\n${error.message}`);
      },
    );
    expect(stdout.trim(), `${file}: ${command} says something`).not.toBe("");
  }
});

const SETTING = /\bAGENTOPIA_[A-Z_]+\b/g;
const settingsIn = (text: string) => new Set(text.match(SETTING) ?? []);
const read = settingsIn(readFileSync(path.join(ROOT, "core/config.ts"), "utf8"));

test("every setting that README, docs and --help name is read, and operations.md with models.md has them all", async () => {
  const { stdout: help } = await promisify(execFile)(process.execPath, ["main.ts", "--help"], { cwd: ROOT });
  const docs = Object.fromEntries(DOCS.map((file) => [file, readFileSync(path.join(ROOT, file), "utf8")]));
  for (const [where, text] of Object.entries({ ...docs, "--help": help }))
    for (const name of settingsIn(text)) expect(read, `${where}: ${name}`).toContain(name);
  const listed = settingsIn(`${docs["docs/operations.md"]}${docs["docs/models.md"]}`);
  for (const name of read) expect(listed, `docs/operations.md lists ${name}`).toContain(name);
  for (const text of [docs["README.md"] ?? "", help]) expect(settingsIn(text)).toContain("AGENTOPIA_ALLOW_HOSTS");
});

test("every file that README and docs lead to exists", () => {
  for (const file of DOCS) {
    const text = readFileSync(path.join(ROOT, file), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g))
      expect(existsSync(path.join(ROOT, path.dirname(file), target)), `${file} → ${target}`).toBe(true);
  }
});

test("the commands are taken out of the docs as they stand there", () => {
  expect(commandsOf("README.md").map(({ command }) => command)).toContain("npm run -s agentopia -- status");
});

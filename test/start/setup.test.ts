/** setup.mjs on machines that lack something: a folder of its own, a PATH of its own, programs that behave as the real ones then do. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ROOT } from "../../core/config.ts";
import { eventually } from "../harness/eventually.ts";

interface Machine {
  folder: string;
  /** Puts a program on the PATH. */
  program(name: string, script: string): void;
  setup(...args: string[]): { child: ChildProcess; output(): string; ended: Promise<number | null> };
}

function machine(): Machine {
  const folder = mkdtempSync(path.join(tmpdir(), "agentopia-setup-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const file of ["setup.mjs", "package.json", "package-lock.json", "homeserver/requirements.txt"])
    cpSync(path.join(ROOT, file), path.join(folder, file));
  const bin = path.join(folder, "bin");
  mkdirSync(bin);
  for (const name of ["sh", "flock", "cat", "sleep", "touch", "rm"]) link(name, bin);
  // The one with which npm was started: Node 20 where that is the machine's.
  const node = process.env.npm_node_execpath ?? process.execPath;
  return {
    folder,
    program(name, script) {
      writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`);
      chmodSync(path.join(bin, name), 0o755);
    },
    setup(...args) {
      const child = spawn(node, ["setup.mjs", ...args], { cwd: folder, env: { PATH: bin, HOME: folder } });
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream?.on("data", (part) => {
          output += part;
        });
      return { child, output: () => output, ended: once(child, "exit").then(([code]) => code as number | null) };
    },
  };
}

function link(name: string, bin: string): void {
  const found = ["/usr/bin", "/bin"].map((folder) => path.join(folder, name)).find(existsSync);
  if (found) symlinkSync(found, path.join(bin, name));
}

const python = (version: string, venv: boolean) =>
  `case "$2" in *version_info*) echo ${version};; *ensurepip*) exit ${venv ? 0 : 1};; esac`;

async function ending(run: ReturnType<Machine["setup"]>): Promise<[number | null, string]> {
  const code = await run.ended;
  return [code, run.output()];
}

test("no Python at all", async () => {
  const { setup, folder } = machine();
  const [code, output] = await ending(setup());
  expect(output).toMatch(
    /^Agentopia needs Python 3\.10 to 3\.14, and there is none on this machine's PATH\. Install one .*\n$/,
  );
  expect(code).toBe(1);
  expect(existsSync(path.join(folder, ".runtime/python"))).toBe(false);
  expect(existsSync(path.join(folder, "node_modules"))).toBe(false);
});

test("only an old Python", async () => {
  const { setup, program } = machine();
  program("python3", python("3.9", true));
  const [code, output] = await ending(setup());
  expect([code, output]).toEqual([
    1,
    expect.stringMatching(/needs Python 3\.10 to 3\.14, and the Python here is 3\.9\. .*\n$/),
  ]);
});

test("a Python without venv; another one beside it has it", async () => {
  const { setup, program } = machine();
  program("python3", python("3.11", false));
  const [code, output] = await ending(setup());
  expect([code, output]).toEqual([
    1,
    "Python 3.11 is here, but without its venv module. Install it (on Debian and Ubuntu: apt install python3-venv), then do this again.\n",
  ]);
  program("python3.12", python("3.12", true));
  program("npm", "echo npm error ENOTFOUND; exit 1");
  expect((await ending(setup()))[1]).toMatch(/^Installing Node modules/);
});

test.each([
  [
    "no npm",
    null,
    /^Installing the Node modules failed because there is no npm on this machine's PATH\. Install Node with npm, then do this again\.$/m,
  ],
  [
    "no network",
    "npm error code ENOTFOUND\nnpm error network request to https://registry.example failed, reason: getaddrinfo ENOTFOUND",
    /^Installing the Node modules failed because the package registry cannot be reached\. Check this machine's network .*$/m,
  ],
  [
    "a full disk",
    "npm error code ENOSPC\nnpm error nospc ENOSPC: no space left on device, write",
    /^The disk that holds .* is full\. Make room there, .*$/m,
  ],
  [
    "no right to write",
    "npm error code EACCES\nnpm error syscall mkdir",
    /^Agentopia may not write to .*\. Do this as the user who owns that folder\.$/m,
  ],
  [
    "anything else",
    "npm error code EOTHER\nnpm error\nnpm error the moon is in the way\nnpm error A complete log of this run can be found in: /x",
    /^Installing the Node modules failed: the moon is in the way\. .*setup\.log has the details; .*$/m,
  ],
])("npm: %s", async (_, says, sentence) => {
  const { setup, program, folder } = machine();
  program("python3", python("3.11", true));
  if (says) program("npm", `cat >&2 <<'END'\n${says}\nEND\nexit 1`);
  const [code, output] = await ending(setup());
  expect(output).toMatch(sentence);
  expect(output.trim().split("\n")).toHaveLength(2); // the progress line and the sentence
  expect(code).toBe(1);
  if (says) expect(readFileSync(path.join(folder, ".runtime/setup.log"), "utf8")).toContain(says);
});

test("nothing to do: nothing is said, and it takes no time", async () => {
  const { setup, folder } = machine();
  for (const name of ["node_modules", ".runtime"]) symlinkSync(path.join(ROOT, name), path.join(folder, name));
  const began = performance.now();
  expect(await ending(setup())).toEqual([0, ""]);
  expect(await ending(setup("--quiet"))).toEqual([0, ""]);
  expect(performance.now() - began).toBeLessThan(10_000); // an install takes longer
});

test("node modules that are not what the lockfile says are installed anew", async () => {
  const { setup, program, folder } = machine();
  symlinkSync(path.join(ROOT, ".runtime"), path.join(folder, ".runtime"));
  symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
  const file = path.join(folder, "package-lock.json");
  const lock = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, { version: string }> };
  Object.assign(lock.packages["node_modules/hono"] ?? {}, { version: "0.0.1" });
  writeFileSync(file, JSON.stringify(lock));
  program("python3", python("3.11", true));
  program("npm", "echo npm error EOTHER >&2; exit 1");
  expect((await ending(setup()))[1]).toMatch(/^Installing Node modules …\n/);
});

test("two set-ups in one folder wait for each other, even when the first one was killed and its npm works on", async () => {
  const { setup, program, folder } = machine();
  program("python3", python("3.11", true));
  program(
    "npm",
    'touch at-work; while [ ! -e go ]; do sleep 0.05; done; rm at-work; echo "npm error the end" >&2; exit 1',
  );
  const first = setup();
  await eventually("npm to work", () => existsSync(path.join(folder, "at-work")));
  const second = setup();
  await eventually("the second to wait", () =>
    second.output().includes("Waiting for another set-up in this folder …\n"),
  );
  first.child.kill("SIGKILL");
  await first.ended;
  // The first one's npm holds the lock: the second has begun nothing.
  expect(second.output()).not.toContain("Installing");
  writeFileSync(path.join(folder, "go"), "");
  expect((await ending(second))[1]).toMatch(/Installing the Node modules failed: the end\./);
});

/** A folder where all is installed, with a panel whose build only writes down that it ran. */
function panelMachine() {
  const made = machine();
  const at = (file: string) => path.join(made.folder, file);
  mkdirSync(at(".runtime"));
  for (const part of ["node_modules", ".runtime/python", ".runtime/postgres"])
    symlinkSync(path.join(ROOT, part), at(part));
  mkdirSync(at("admin/web/pages"), { recursive: true });
  writeFileSync(at("admin/web/pages/home.tsx"), "one");
  const build = (script: string) => writeFileSync(at("admin/web/build.ts"), script);
  build(`import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
    mkdirSync(".runtime/panel", { recursive: true });
    writeFileSync(".runtime/panel/stamp", process.argv[2] ?? "");
    appendFileSync("builds", "x");`);
  const builds = () => (existsSync(at("builds")) ? readFileSync(at("builds"), "utf8").length : 0);
  return { ...made, at, build, builds };
}

test("the panel is built when its sources changed, and not for the command line", async () => {
  const { setup, at, builds } = panelMachine();
  expect(await ending(setup("--quiet"))).toEqual([0, ""]);
  expect(builds()).toBe(0);
  const [code, output] = await ending(setup());
  expect(output).toMatch(/^Building the panel …\nBuilding the panel … done \(\d+ s\)\n/);
  expect([code, builds()]).toEqual([0, 1]);
  expect(await ending(setup())).toEqual([0, ""]);
  expect(await ending(setup("--tests"))).toEqual([0, ""]);
  expect(builds()).toBe(1);
  writeFileSync(at("admin/web/pages/home.tsx"), "two");
  expect((await ending(setup("--tests")))[0]).toBe(0);
  expect(builds()).toBe(2);
  expect((await ending(setup("--panel")))[0]).toBe(0);
  expect(builds()).toBe(3);
});

test("a panel that cannot be built says why", async () => {
  const { setup, build } = panelMachine();
  build('console.error("Error: home.tsx has no default export"); process.exit(1);');
  const [code, output] = await ending(setup());
  expect(output).toMatch(
    /^Building the panel failed: Error: home\.tsx has no default export\. .*setup\.log has the details; when that is mended, do this again\.$/m,
  );
  expect(code).toBe(1);
});

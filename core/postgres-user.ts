import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import path from "node:path";
import { ROOT } from "./config.ts";
import { AppError } from "./errors.ts";
import { plainEnv } from "./processes.ts";

/** How to run a program of Postgres: `prefix` stands before the command. Postgres refuses to run as root. */
export interface RunAs {
  uid: number;
  gid: number;
  prefix: string[];
}

const DROP =
  "import os,sys\nu,g=int(sys.argv[1]),int(sys.argv[2])\nos.setgroups([]);os.setgid(g);os.setuid(u)\nos.execv(sys.argv[3],sys.argv[3:])";

/**
 * As ourselves; for root as the owner of the data folder, or at first as user `postgres` or `nobody`. Where that user cannot pass a
 * folder above the data or the programs (a clone in /root, a folder of mktemp), it gets the right to pass and read folders
 * (CAP_DAC_READ_SEARCH) and nothing is opened to others. Throws `setup` where that cannot be done.
 */
export function chooseUser(dataFolder: string, program: string): RunAs {
  const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const owner = statSync(dataFolder, { throwIfNoEntry: false });
  if (self.uid !== 0) {
    if (owner && owner.uid !== self.uid)
      throw new AppError(
        "setup",
        `The database in ${dataFolder} belongs to another user of this machine (${owner.uid}). Start as that user or as root, or choose another folder with AGENTOPIA_HOME.`,
      );
    return { ...self, prefix: [] };
  }
  const user = owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : ordinaryUser();
  const ids = [String(user.uid), String(user.gid)] as const;
  const setpriv = ["setpriv", `--reuid=${ids[0]}`, `--regid=${ids[1]}`, "--clear-groups"];
  // no_setuid_fixup: without it access(2), with which Postgres looks at its own programs, leaves capabilities out.
  const pass = ["--securebits=+no_setuid_fixup", "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
  const python = [path.join(ROOT, ".runtime/python/bin/python3"), "-c", DROP, ...ids];
  for (const prefix of [setpriv, [...setpriv, ...pass], python])
    if (canReach(prefix, path.dirname(dataFolder), program)) return { ...user, prefix };
  throw new AppError(
    "setup",
    `Postgres does not run as root, and no ordinary user can reach ${path.dirname(dataFolder)} and ${program}. Install setpriv (package util-linux), start as an ordinary user, or choose a folder that others can pass with AGENTOPIA_HOME.`,
  );
}

function canReach(prefix: string[], folder: string, program: string): boolean {
  const [command = "", ...args] = prefix;
  const test = ["/bin/sh", "-c", 'cd "$0" && "$1" --version', folder, program];
  const { status, stderr } = spawnSync(command, [...args, ...test], { env: plainEnv(), encoding: "utf8", cwd: "/" });
  return status === 0 && stderr === ""; // it warns when it cannot find itself, and its siblings then end
}

function ordinaryUser(): { uid: number; gid: number } {
  for (const name of ["postgres", "nobody"]) {
    const ids = ["-u", "-g"].map((flag) => spawnSync("id", [flag, name], { encoding: "utf8", env: plainEnv() }));
    const [uid, gid] = ids.map(({ status, stdout }) => (status === 0 ? Number(stdout) : Number.NaN));
    if (uid && gid) return { uid, gid };
  }
  throw new AppError(
    "setup",
    "Postgres does not run as root and this machine has no user `nobody`. Start as another user.",
  );
}

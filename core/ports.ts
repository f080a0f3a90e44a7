import { randomInt } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { AppError } from "./errors.ts";

/** Ports of the platform: the people's pages, the door for Synapse, the embedded Postgres. */
export interface Ports {
  public: number;
  internal: number;
  postgres: number;
}

// Below what systems give to outgoing connections (32768 and up on Linux, 49152 elsewhere): a kept port must not be taken by chance.
const FIRST = 20_000;
const LAST = 29_999;

/** A port on which nobody listens now, and which is none of `avoid`. */
export async function freePort(avoid: Iterable<number> = [], host = "127.0.0.1"): Promise<number> {
  const taken = new Set(avoid);
  for (let tries = 0; tries < 200; tries++) {
    const port = randomInt(FIRST, LAST + 1);
    if (!taken.has(port) && (await isFree(port, host))) return port;
  }
  throw new AppError(
    "setup",
    `No free port was found between ${FIRST} and ${LAST}. Stop some programs and start again.`,
  );
}

/** True when we could listen there. Throws for an address that is not ours. */
export function isFree(port: number, host = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else if (error.code === "EACCES")
        reject(
          new AppError("setup", `Port ${port} may be used by root only. Choose one above 1023 with AGENTOPIA_PORT.`),
        );
      else if (error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND")
        reject(
          new AppError("setup", `AGENTOPIA_HOST is ${host}, which is no address of this machine. Correct or unset it.`),
        );
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The ports in `ports.json` of the home folder. Those that are missing are chosen free and written there. */
export async function keptPorts(home: string, wanted: { public?: number | undefined } = {}): Promise<Ports> {
  const file = path.join(home, "ports.json");
  const kept = readPorts(file);
  const ports: Partial<Ports> = { ...kept, ...(wanted.public ? { public: wanted.public } : {}) };
  for (const name of ["public", "internal", "postgres"] as const)
    ports[name] ??= await freePort(Object.values(ports).filter((port) => port !== undefined));
  const all = ports as Ports;
  if (JSON.stringify(kept) !== JSON.stringify(all)) {
    writeFileSync(`${file}.new`, `${JSON.stringify(all, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  return all;
}

/** The sentence for a kept port that another program has taken. */
export function portTaken(name: keyof Ports, port: number, home: string): AppError {
  const other = name === "public" ? "start with another AGENTOPIA_PORT" : `delete "${name}" in ${home}/ports.json`;
  return new AppError(
    "setup",
    `Port ${port} is used by another program. Stop that program, or ${other}, and start again.`,
  );
}

function readPorts(file: string): Partial<Ports> {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Partial<Ports>;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new AppError("setup", `${file} cannot be read. Correct it, or delete it to have new ports chosen.`, {
      cause,
    });
  }
}

import { mkdirSync, openSync } from "node:fs";
import path from "node:path";
import pino from "pino";

export type Log = pino.Logger;

/** JSON lines to a file (or to stderr without one). Secrets never get here: pass ids, not contents. */
export function openLog(options: { file?: string | undefined; level?: string }): Log {
  const level = options.level ?? "info";
  if (!options.file) return pino({ level }, pino.destination({ dest: 2, sync: false }));
  mkdirSync(path.dirname(options.file), { recursive: true, mode: 0o700 });
  // Opened here: left to the destination, an exit within its first moments throws because it "is not ready yet".
  return pino({ level }, pino.destination({ dest: openSync(options.file, "a", 0o600), sync: false }));
}

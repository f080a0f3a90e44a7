import pino from "pino";

export type Log = pino.Logger;

/** JSON lines to a file (or to stderr without one). Secrets never get here: pass ids, not contents. */
export function openLog(options: { file?: string | undefined; level?: string }): Log {
  const level = options.level ?? "info";
  if (!options.file) return pino({ level }, pino.destination({ dest: 2, sync: false }));
  return pino({ level }, pino.destination({ dest: options.file, mkdir: true, sync: false }));
}

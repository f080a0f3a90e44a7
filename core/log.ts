import { mkdirSync, openSync } from "node:fs";
import path from "node:path";
import pino from "pino";

export type Log = pino.Logger;

/** JSON lines to a file (or to stderr without one). Secrets never get here: pass ids, not contents. */
export function openLog(options: { file?: string | undefined; level?: string }): Log {
  const level = options.level ?? "info";
  const settings = { level, serializers: { err: withoutValues } };
  if (!options.file) return pino(settings, pino.destination({ dest: 2, sync: false }));
  mkdirSync(path.dirname(options.file), { recursive: true, mode: 0o700 });
  // Opened here: left to the destination, an exit within its first moments throws because it "is not ready yet".
  return pino(settings, pino.destination({ dest: openSync(options.file, "a", 0o600), sync: false }));
}

/** drizzle writes every value of a failed query into its message: texts of people, and secrets. The query itself says enough. */
function withoutValues(error: Error): object {
  const cut = <T>(text: T): T =>
    typeof text === "string" ? (text.replace(/\nparams: [\s\S]*?(?=\n\s+at |$)/, "\nparams: (not kept)") as T) : text;
  const {
    message,
    stack,
    params: _params,
    ...rest
  } = pino.stdSerializers.err(error) as pino.SerializedError & { params?: unknown };
  return { ...rest, message: cut(message), stack: cut(stack) };
}

/** The log of a homeserver, as it grows. */
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { getTenant } from "./access.ts";
import { driverOf } from "./drivers/list.ts";

const FIRST_LINES = 200;
const LOOK_MS = 400;
const CHUNK = 64 * 1024;
const LONGEST_LINE = 4000;

/** Throws `not_found`, or `conflict` for a homeserver whose log is elsewhere. */
export async function logFileOf(ctx: Context, tenantId: string): Promise<string> {
  const row = await getTenant(ctx, tenantId);
  const file = driverOf(row.driver).logFile?.(ctx, row);
  if (!file) throw new AppError("conflict", "Others run this homeserver: its log is where it runs.");
  return file;
}

/**
 * Yields the last 200 lines, then what is added, until `signal` ends it. A log that begins anew is followed from its new beginning. Tokens
 * and passwords are taken out.
 */
export async function* followLog(file: string, signal: AbortSignal): AsyncGenerator<string[]> {
  let seen = await readEnd(file);
  yield seen.lines;
  while (!signal.aborted) {
    try {
      await sleep(LOOK_MS, undefined, { signal });
    } catch (error) {
      if (signal.aborted) return; // nobody looks any more
      throw error;
    }
    const next = await readOn(file, seen);
    if (next.lines.length > 0) yield next.lines;
    seen = next;
  }
}

interface Seen {
  inode: number;
  position: number;
  /** The beginning of a line whose end is not written yet. */
  rest: string;
  lines: string[];
}

const NOTHING: Seen = { inode: 0, position: 0, rest: "", lines: [] };

async function readEnd(file: string): Promise<Seen> {
  const all = await reading(file, async (handle, { size, ino }) => {
    const from = Math.max(0, size - 4 * CHUNK);
    const read = await readPiece(handle, from, size - from);
    return cut({ inode: ino, position: from, rest: "", lines: [] }, read, from > 0);
  });
  return all ? { ...all, lines: all.lines.slice(-FIRST_LINES) } : NOTHING;
}

async function readOn(file: string, seen: Seen): Promise<Seen> {
  const next = await reading(file, async (handle, { size, ino }) => {
    // Moved away at a start of the homeserver, or emptied by somebody.
    const same = ino === seen.inode && size >= seen.position;
    const from = same ? seen : { ...NOTHING, inode: ino };
    return cut(from, await readPiece(handle, from.position, Math.min(CHUNK, size - from.position)), false);
  });
  return next ?? { ...seen, lines: [] };
}

async function reading(
  file: string,
  read: (handle: FileHandle, stat: { size: number; ino: number }) => Promise<Seen>,
): Promise<Seen | null> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, "r");
    return await read(handle, await handle.stat());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null; // it has not been started yet
    throw error;
  } finally {
    await handle?.close();
  }
}

async function readPiece(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.max(0, length));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
  return buffer.subarray(0, bytesRead);
}

/** `inLine`: the piece begins within a line, which is left out. */
function cut(seen: Seen, piece: Buffer, inLine: boolean): Seen {
  const parts = (seen.rest + piece.toString("utf8")).split("\n");
  const rest = (parts.pop() ?? "").slice(0, LONGEST_LINE);
  const whole = inLine ? parts.slice(1) : parts;
  return { ...seen, position: seen.position + piece.length, rest, lines: whole.map(withoutSecrets) };
}

const NAMES = "(?:token|password|passwd|secret|api_?key|\\bmac|nonce)";
const SECRETS: [RegExp, string][] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, "$1 …"],
  [/\b(sy[ltra]|mct|mat|mas|agt|as|hs)_[\w-]{16,}/g, "…"],
  // In quotes up to the closing one, else up to what ends a value in an address, a list or a line.
  [new RegExp(`(${NAMES}["']?\\s*[:=]\\s*)(["'])(?:(?!\\2).)+\\2`, "gi"), "$1$2…$2"],
  [new RegExp(`(${NAMES}["']?\\s*[:=]\\s*)[^\\s"'&,;)}…]+`, "gi"), "$1…"],
];

/** A line of a log without what would let its reader act as somebody. */
export const withoutSecrets = (line: string): string =>
  SECRETS.reduce((text, [pattern, instead]) => text.replace(pattern, instead), line.slice(0, LONGEST_LINE));

/** What operators do with one client's homeserver: start, stop, restart, look at its past, its size and its log, back it up. */
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import type { Context as Request } from "hono";
import { streamSSE } from "hono/streaming";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { backupFile, deleteBackup, getBackup, listBackups, requestBackup } from "../../homeserver/backups.ts";
import { listHealth } from "../../homeserver/health-history.ts";
import { followLog, logFileOf } from "../../homeserver/log-tail.ts";
import { listStorage, measureStorage } from "../../homeserver/storage.ts";
import { getTenant, requestRestart, setDesired } from "../../homeserver/tenants.ts";
import { backupOf, backupView, clientState, healthOf, healthView, storageOf, storageView } from "./clients-views.ts";
import { type Endpoint, endpoint, z } from "./endpoint.ts";
import { pageOf, pageQuery, readCursor, toPage, writeCursor } from "./pages.ts";

const VERBS = {
  start: { summary: "Have its homeserver run", act: (ctx: Context, id: string) => setDesired(ctx, id, "running") },
  stop: { summary: "Have its homeserver stop", act: (ctx: Context, id: string) => setDesired(ctx, id, "stopped") },
  restart: { summary: "Have its homeserver end and start anew, once", act: requestRestart },
} as const;

export const homeserverEndpoints = (ctx: Context): Endpoint[] => [
  ...Object.entries(VERBS).map(([verb, { summary, act }]) =>
    endpoint(
      {
        method: "post",
        path: `/clients/{client}/${verb as keyof typeof VERBS}`,
        action: "clients.control",
        auditAs: `clients.${verb}`,
        tag: "clients",
        summary,
        answer: z.object({ state: clientState, desired: z.enum(["running", "stopped"]) }),
        status: 202,
      },
      async ({ params, audit }) => {
        await act(ctx, params.client);
        const { id, title, state, desired } = await getTenant(ctx, params.client);
        audit({ target: { kind: "client", id, name: title } });
        return { state, desired };
      },
    ),
  ),
  endpoint(
    {
      method: "get",
      path: "/clients/{client}/health",
      action: "clients.control",
      tag: "clients",
      summary: "Changes of its homeserver's state, newest first",
      query: pageQuery,
      answer: pageOf(healthView),
    },
    async ({ params, query: { limit, cursor } }) => {
      await getTenant(ctx, params.client);
      const [before] = readCursor(cursor, "number") ?? [];
      const rows = await listHealth(ctx, params.client, { limit: limit + 1, before: whole(before) });
      return toPage(rows, limit, ({ id }) => writeCursor(id), healthOf);
    },
  ),
  endpoint(
    {
      method: "get",
      path: "/clients/{client}/storage",
      action: "clients.control",
      tag: "clients",
      summary: "What its homeserver takes on the disk, day by day; nothing where others run it",
      query: pageQuery,
      answer: pageOf(storageView),
    },
    async ({ params, query: { limit, cursor } }) => {
      await getTenant(ctx, params.client);
      const [before] = readCursor(cursor, "string") ?? [];
      if (before !== undefined && !/^\d{4}-\d\d-\d\d$/.test(before)) throw new AppError("invalid", "This is no day.");
      const rows = await listStorage(ctx, params.client, { limit: limit + 1, before });
      return toPage(rows, limit, ({ day }) => writeCursor(day), storageOf);
    },
  ),
  endpoint(
    {
      method: "post",
      path: "/clients/{client}/storage",
      action: "clients.control",
      auditAs: null, // looks, and changes nothing of theirs
      tag: "clients",
      summary: "Measure it now; at most once a minute",
      answer: storageView,
    },
    async ({ params }) => storageOf(await measureStorage(ctx, params.client)),
  ),
  endpoint(
    {
      method: "get",
      path: "/clients/{client}/log",
      action: "clients.log",
      tag: "clients",
      summary: "The last 200 lines of its homeserver's log, and those that are added",
      answer: "stream",
    },
    async ({ params, http }) => sendLog(ctx, http, await logFileOf(ctx, params.client)),
  ),
  ...backupEndpoints(ctx),
];

const BACKUPS = "/clients/{client}/backups";

const backupEndpoints = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: BACKUPS,
      action: "clients.control",
      tag: "clients",
      summary: "Backups of its homeserver, newest first",
      query: pageQuery,
      answer: pageOf(backupView),
    },
    async ({ params, query: { limit, cursor } }) => {
      await getTenant(ctx, params.client);
      const [at, id] = readCursor(cursor, "number", "string") ?? [];
      const before = at === undefined || id === undefined ? undefined : { at: whole(at) ?? 0, id };
      const rows = await listBackups(ctx, params.client, { limit: limit + 1, before });
      return toPage(rows, limit, (row) => writeCursor(row.createdAt.getTime(), row.id), backupOf);
    },
  ),
  endpoint(
    {
      method: "post",
      path: BACKUPS,
      action: "clients.control",
      auditAs: "clients.backup",
      tag: "clients",
      summary: "Have a backup made; while one is under way it is that one",
      answer: backupView,
      status: 202,
      creates: true,
    },
    async ({ params, caller, audit }) => {
      const row = await requestBackup(ctx, params.client, caller.name);
      audit({ target: { kind: "backup", id: row.id, name: params.client } });
      return backupOf(row);
    },
  ),
  endpoint(
    {
      method: "delete",
      path: `${BACKUPS}/{backup}`,
      action: "clients.control",
      auditAs: "clients.delete_backup",
      tag: "clients",
      summary: "Delete a backup with its file",
      answer: null,
    },
    async ({ params, audit }) => {
      const row = await deleteBackup(ctx, params.client, params.backup);
      audit({ target: { kind: "backup", id: row.id, name: params.client }, before: { file: row.file } });
    },
  ),
  endpoint(
    {
      method: "get",
      path: `${BACKUPS}/{backup}/file`,
      action: "clients.control",
      auditAs: "clients.download_backup",
      auditsReading: true,
      tag: "clients",
      summary: "The file of a backup (tar). It holds secrets of the homeserver",
      answer: "file",
    },
    async ({ params, audit }) => {
      const { file, name, bytes } = backupFile(ctx, await getBackup(ctx, params.client, params.backup));
      audit({ target: { kind: "backup", id: params.backup, name: params.client }, after: { file: name, bytes } });
      const body = Readable.toWeb(createReadStream(file)) as ReadableStream;
      return new Response(body, {
        headers: {
          "content-type": "application/x-tar",
          "content-length": String(bytes),
          "content-disposition": `attachment; filename="${name}"`,
          "cache-control": "no-store",
        },
      });
    },
  ),
];

/** Cursors come from outside: numbers that are none of ours find nothing instead of failing in the database. */
const whole = (number: number | undefined): number | undefined =>
  number === undefined ? undefined : Math.trunc(Math.max(0, Math.min(8_000_000_000_000, number)));

const MOST_READERS = 20;
const HEARTBEAT_MS = 20_000;
let readers = 0;

/** Each reader costs a look at the file every half second. */
function sendLog(ctx: Context, c: Request, file: string): Response {
  if (readers >= MOST_READERS)
    throw new AppError("too_many", "Too many people read logs at the moment. Close one of them and try again.");
  readers++;
  return streamSSE(c, async (stream) => {
    const end = new AbortController();
    stream.onAbort(() => end.abort());
    const heartbeat = setInterval(() => void stream.write(": still here\n\n"), HEARTBEAT_MS);
    try {
      for await (const lines of followLog(file, end.signal))
        await stream.writeSSE({ event: "lines", data: JSON.stringify({ lines }) });
    } catch (error) {
      ctx.log.warn({ err: error }, "the log of a homeserver could not be read on");
      const text = "The log cannot be read any more. Close this and open it again.";
      await stream.writeSSE({ event: "trouble", data: JSON.stringify({ text }) });
    } finally {
      readers--;
      clearInterval(heartbeat);
    }
  });
}

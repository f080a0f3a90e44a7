/** A client's own file area. Files are downloaded and never shown in place: what is in them may be anybody's. */
import {
  areaOf,
  type FileFacts,
  listFiles,
  MOST_AREA,
  MOST_FILE,
  readFile,
  removeFile,
  writeFile,
} from "../../bots/tools/files.ts";
import type { Context } from "../../core/context.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import { byline } from "./caller.ts";
import { type Endpoint, endpoint, moment, z } from "./endpoint.ts";
import { pageOf, pageQuery, readCursor, toPage, writeCursor } from "./pages.ts";

const FILES = "/clients/{client}/files";
const ONE = `${FILES}/{path}`;

export const fileView = z
  .object({
    path: z.string().openapi({ description: "`folder/name`; one segment of an address, with its slashes escaped." }),
    contentType: z.string(),
    size: z.number().int(),
    untrusted: z.string().nullable().openapi({ description: "Where it comes from when nobody vouches for it." }),
    writtenBy: z.string(),
    changedAt: moment,
  })
  .openapi("StoredFile");
export type FileView = z.output<typeof fileView>;

const query = pageQuery.extend({ folder: z.string().max(300).optional() });
const answer = pageOf(fileView).extend({
  area: z
    .object({ bytes: z.number(), files: z.number().int(), mostBytes: z.number() })
    .openapi({ description: "Of the whole area." }),
});
export type FilesAnswer = z.output<typeof answer>;

export const fileEndpoints = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: FILES,
      action: "tools.read",
      tag: "tools",
      summary: "The client's files, by path",
      query,
      answer,
    },
    async ({ params: { client }, query: { limit, cursor, folder } }) => {
      await getTenant(ctx, client);
      const [after] = readCursor(cursor, "string") ?? [];
      const rows = await listFiles(ctx, client, { folder, after, limit: limit + 1 });
      const page = toPage(rows, limit, ({ path }) => writeCursor(path), shown);
      return { ...page, area: { ...(await areaOf(ctx, client)), mostBytes: MOST_AREA } };
    },
  ),
  endpoint(
    { method: "get", path: ONE, action: "tools.read", tag: "tools", summary: "Download a file", answer: "file" },
    async ({ params: { client, path } }) => {
      await getTenant(ctx, client);
      return download(await readFile(ctx, client, path));
    },
  ),
  endpoint(
    {
      method: "put",
      path: ONE,
      action: "tools.write",
      auditAs: "files.write",
      tag: "tools",
      summary: "Upload a file of at most 10 MB, in place of the one with that path",
      takesFile: true,
      answer: fileView,
      maxBody: MOST_FILE,
    },
    async ({ params: { client, path }, caller, http, audit }) => {
      await getTenant(ctx, client);
      const bytes = new Uint8Array(await http.req.arrayBuffer());
      // What a program sends without saying what it is, is told by its name.
      const said = http.req.header("content-type");
      const contentType = said === "application/octet-stream" ? undefined : said;
      const file = await writeFile(ctx, client, { path, bytes, contentType, untrusted: null, by: byline(caller) });
      audit({ target: targetOf(file), after: { size: file.size, contentType: file.contentType } });
      return shown(file);
    },
  ),
  endpoint(
    {
      method: "delete",
      path: ONE,
      action: "tools.write",
      auditAs: "files.remove",
      tag: "tools",
      summary: "Remove a file",
      answer: null,
    },
    async ({ params: { client, path }, audit }) => {
      await getTenant(ctx, client);
      const file = await removeFile(ctx, client, path);
      audit({ target: targetOf(file), before: { size: file.size, contentType: file.contentType } });
    },
  ),
];

const targetOf = ({ path }: FileFacts) => ({ kind: "file", id: path, name: path });

const shown = ({ path, contentType, size, untrusted, writtenBy, changedAt }: FileFacts): FileView => ({
  path,
  contentType,
  size,
  untrusted,
  writtenBy,
  changedAt: changedAt.toISOString(),
});

/** Never within the panel's own origin: saved, not shown, and without any right if a browser shows it all the same. */
function download({ path, contentType, bytes }: { path: string; contentType: string; bytes: Uint8Array }): Response {
  const name = encodeURIComponent(path.slice(path.lastIndexOf("/") + 1)).replaceAll(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return new Response(Buffer.from(bytes), {
    headers: {
      "content-type": contentType,
      "content-disposition": `attachment; filename="file"; filename*=UTF-8''${name}`,
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    },
  });
}

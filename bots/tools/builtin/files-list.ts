/** What is in the client's file area. */
import { sizeText } from "../content-types.ts";
import { folderPath, pathOrText } from "../file-paths.ts";
import { type FileFacts, listFiles } from "../files.ts";
import { oneLine } from "../one-line.ts";
import type { Args, Tool, ToolRun } from "../tool.ts";

const PAGE = 200;
const LOOKED_AT = 500;
const folderOf = (args: Args) => String(args.folder ?? "");

export const filesList: Tool = {
  name: "files_list",
  group: "files",
  title: "List files",
  summary: "Shows which files the company has here, and how old they are.",
  description: `Lists the company's own files: path, size and when each was changed, at most ${PAGE} at once. For more, give the last path as "after".`,
  input: {
    type: "object",
    properties: {
      folder: { type: "string", maxLength: 300, description: "Only this folder and those in it; all when left out." },
      after: { type: "string", maxLength: 300, description: "Begin behind this path." },
    },
    additionalProperties: false,
  },
  labels: { after: "Begin behind" },
  risk: "low",
  reads: "private",
  sends: "nothing",
  ofCompany: true,
  repeatable: true,
  targets: (args) => [{ kind: "folder", value: pathOrText(folderPath, folderOf(args)) }],
  sentence: (args) => (folderOf(args) ? `list the files in “${oneLine(args.folder, 300)}”` : "list all files"),
  async run(call) {
    const found = await allowedFiles(call);
    if (found.length === 0) return { text: "There are no files here." };
    const shown = found.slice(0, PAGE);
    const lines = shown.map(
      ({ path, size, changedAt }) => `${path} (${sizeText(size)}, ${changedAt.toISOString().slice(0, 16)}Z)`,
    );
    if (found.length > PAGE) lines.push(`There are more: ask again with "after" set to the last path.`);
    // Names may be somebody's words too.
    return { text: lines.join("\n"), untrusted: shown.find(({ untrusted }) => untrusted)?.untrusted ?? null };
  },
};

/** Not those of folders that a manager excluded: their names say enough. */
async function allowedFiles({ ctx, tenantId, args, mayTouch }: ToolRun): Promise<FileFacts[]> {
  const found: FileFacts[] = [];
  let after = args.after === undefined ? undefined : String(args.after).normalize("NFC");
  for (;;) {
    const files = await listFiles(ctx, tenantId, { folder: folderOf(args), after, limit: LOOKED_AT });
    found.push(...files.filter(({ path }) => mayTouch?.({ kind: "folder", value: path }) ?? true));
    if (found.length > PAGE || files.length < LOOKED_AT) return found;
    after = files.at(-1)?.path;
  }
}

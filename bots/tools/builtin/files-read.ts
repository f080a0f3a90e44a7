/** Read a file of the client's area: text as it is, PDF as text. */
import { AppError } from "../../../core/errors.ts";
import { isPdf, sizeText, textOf } from "../content-types.ts";
import { filePath, pathOrText } from "../file-paths.ts";
import { readFile, type StoredFile } from "../files.ts";
import { offload } from "../offload.ts";
import { oneLine } from "../one-line.ts";
import type { Tool, ToolRun } from "../tool.ts";

export const filesRead: Tool = {
  name: "files_read",
  group: "files",
  title: "Read a file",
  summary: "Reads a text or PDF file of the company.",
  description:
    "Reads one of the company's own files: text files as they are, PDF files as text. Pictures and other files cannot be read. " +
    'A long one comes in parts: go on with the "offset" that the answer names.',
  input: {
    type: "object",
    properties: {
      path: { type: "string", minLength: 1, maxLength: 300, description: "As files_list shows it." },
      offset: { type: "integer", minimum: 0, maximum: 100_000_000, description: "Characters to leave out." },
    },
    required: ["path"],
    additionalProperties: false,
  },
  labels: { path: "File", offset: "Leave out at the beginning" },
  risk: "low",
  reads: "private",
  sends: "nothing",
  ofCompany: true,
  repeatable: true,
  targets: (args) => [{ kind: "folder", value: pathOrText(filePath, String(args.path)) }],
  sentence: (args) => `read the file “${oneLine(args.path, 300)}”`,
  async run(call) {
    const file = await readFile(call.ctx, call.tenantId, String(call.args.path));
    const text = await contentOf(file, call);
    return { text: part(text, Number(call.args.offset ?? 0), call.maxChars), untrusted: file.untrusted };
  },
};

async function contentOf({ path, bytes, size, contentType }: StoredFile, { signal, tenantId }: ToolRun) {
  if (isPdf(bytes)) return (await offload("pdf", { bytes }, { signal, tenantId })).text;
  const text = textOf(bytes);
  if (text !== null) return text;
  throw new AppError(
    "invalid",
    `“${path}” is no text but ${contentType} (${sizeText(size)}), which cannot be read. It can be sent to the room.`,
  );
}

/** As much as fits, with where to go on. */
function part(text: string, offset: number, most: number): string {
  if (text === "") return "The file is empty.";
  if (offset >= text.length) return `The file ends before that: it has ${text.length} characters.`;
  let end = Math.min(text.length, offset + Math.max(most - 100, 1));
  // Not between the halves of one character.
  if (end < text.length && /[\udc00-\udfff]/.test(text.charAt(end))) end -= 1;
  const rest = end < text.length ? `\n\n[${end} of ${text.length} characters. Go on with offset ${end}.]` : "";
  return text.slice(offset, Math.max(end, offset + 1)) + rest;
}

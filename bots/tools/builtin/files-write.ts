/** Write a text file into the client's area. */
import { sizeText } from "../content-types.ts";
import { filePath, pathOrText } from "../file-paths.ts";
import { writeFile } from "../files.ts";
import { characters, oneLine } from "../one-line.ts";
import type { Tool } from "../tool.ts";

export const filesWrite: Tool = {
  name: "files_write",
  group: "files",
  title: "Write a file",
  summary: "Writes or replaces a text file of the company.",
  description:
    "Writes a text file into the company's own files. A file with the same path is replaced; with append the text is put at its end.",
  input: {
    type: "object",
    properties: {
      path: { type: "string", minLength: 1, maxLength: 300, description: "Folder and name, as reports/march.md" },
      text: { type: "string", maxLength: 5_000_000, description: "What the file holds." },
      append: { type: "boolean", description: "Put it at the end of the file that is there." },
    },
    required: ["path", "text"],
    additionalProperties: false,
  },
  labels: { path: "File", text: "Content", append: "Add at the end" },
  always: { does: "write and replace files", whatever: "whichever they are and whatever it writes into them" },
  risk: "medium",
  reads: "nothing",
  sends: "inside",
  ofCompany: true,
  // Appended twice is not appended once.
  repeatable: false,
  targets: (args) => [{ kind: "folder", value: pathOrText(filePath, String(args.path)) }],
  sentence: (args) => {
    const path = oneLine(args.path, 300);
    return args.append === true
      ? `put ${characters(args.text)} at the end of the file “${path}”`
      : `write ${characters(args.text)} into the file “${path}”`;
  },
  async run({ ctx, tenantId, args, agent, run }) {
    const { path, size } = await writeFile(ctx, tenantId, {
      path: String(args.path),
      bytes: Buffer.from(String(args.text)),
      untrusted: run?.untrusted ?? null,
      by: agent.userId,
      append: args.append === true,
    });
    return { text: `“${path}” is written; it has ${sizeText(size)}.` };
  },
};

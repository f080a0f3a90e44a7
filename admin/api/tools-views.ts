/** What the API says of tools and of what they did. */
import type { ListedCall } from "../../bots/tools/call-list.ts";
import { labelsOf } from "../../bots/tools/labels.ts";
import type { Tool } from "../../bots/tools/tool.ts";
import { isTryable } from "../../bots/tools/try-tool.ts";
import { moment, z } from "./endpoint.ts";
import { iso } from "./iso.ts";

export const CALL_STATES = [
  "proposed",
  "waiting",
  "approved",
  "running",
  "done",
  "failed",
  "refused",
  "declined",
  "unknown",
  "stopped",
] as const;
export const callState = z.enum(CALL_STATES);

export const labelsView = z
  .record(z.string(), z.string())
  .openapi({ description: "What people call the arguments, by their names, in the order of the tool's schema." });

export const toolView = z
  .object({
    name: z.string(),
    group: z.string().openapi({ description: "Boundaries are drawn around a group at once: web, files, mail, …" }),
    title: z.string(),
    summary: z.string().openapi({ description: "What it does, for people." }),
    description: z.string().openapi({ description: "As models read it." }),
    input: z.record(z.string(), z.unknown()).openapi({ description: "JSON Schema (2020-12) of its arguments." }),
    labels: labelsView,
    risk: z.enum(["low", "medium", "high"]),
    reads: z.enum(["nothing", "private", "untrusted"]),
    sends: z.enum(["nothing", "inside", "address", "outside"]),
    tryable: z.boolean().openapi({ description: "It can be tried without a room." }),
  })
  .openapi("Tool");
export type ToolView = z.output<typeof toolView>;

export const viewTool = (tool: Tool): ToolView => ({
  name: tool.name,
  group: tool.group,
  title: tool.title,
  summary: tool.summary,
  description: tool.description,
  input: tool.input,
  labels: labelsOf(tool),
  risk: tool.risk,
  reads: tool.reads,
  sends: tool.sends,
  tryable: isTryable(tool),
});

export const triedView = z
  .object({
    call: z.string(),
    state: z.enum(["done", "failed", "refused", "declined", "unknown", "stopped"]),
    result: z.string().openapi({ description: "What an agent would be given, without what looks like a secret." }),
    untrusted: z.string().nullable().openapi({ description: "Where it comes from when nobody vouches for it." }),
    durationMs: z.number(),
  })
  .openapi("TriedTool");
export type TriedView = z.output<typeof triedView>;

const named = z.object({ id: z.string(), name: z.string() });

export const callView = z
  .object({
    id: z.string(),
    run: z.string().nullable().openapi({ description: "Null: somebody tried the tool in the panel." }),
    agent: named.nullable(),
    person: named.nullable().openapi({ description: "For whom it was done." }),
    tool: z.object({ name: z.string(), title: z.string(), group: z.string() }),
    state: callState,
    reason: z.string().nullable().openapi({ description: "Why it was asked, refused or declined." }),
    arguments: z
      .record(z.string(), z.unknown())
      .nullable()
      .openapi({ description: "Without what looks like a secret." }),
    labels: labelsView,
    result: z.string().nullable(),
    erased: z.boolean(),
    untrusted: z.string().nullable(),
    tokens: z.number().int(),
    createdAt: moment,
    durationMs: z.number().nullable(),
  })
  .openapi("ToolCall");
export type CallView = z.output<typeof callView>;

export const viewCall = ({ runId, tool, title, group, createdAt, ...row }: ListedCall): CallView => ({
  ...row,
  run: runId,
  tool: { name: tool, title, group },
  createdAt: iso(createdAt),
});

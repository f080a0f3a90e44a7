/** Run a program of the model's own, with nothing around it. */
import { offload } from "../offload.ts";
import { characters } from "../one-line.ts";
import type { Tool, ToolResult, ToolRun } from "../tool.ts";

const TIMEOUT_MS = 5_000;
/** Some of what QuickJS does in one go does not look at the time. */
const GRACE_MS = 1_000;

export const runJavascript: Tool = {
  name: "run_javascript",
  group: "code",
  title: "Run JavaScript",
  summary: "Works on texts, lists and data with a small program that reaches nothing outside.",
  description:
    "Runs a JavaScript program (ES2023) and returns what it printed with console.log and the value of its last line. It has 5 seconds and 32 MB; " +
    "no network, no files, no timers, no modules, nothing kept from an earlier program. Use it to work on texts, lists and data.",
  input: {
    type: "object",
    properties: { code: { type: "string", minLength: 1, maxLength: 200_000 } },
    required: ["code"],
    additionalProperties: false,
  },
  always: { does: "run programs", whatever: "whatever they do" },
  risk: "low",
  reads: "nothing",
  sends: "nothing",
  repeatable: true,
  sentence: ({ code }) => `run a program of ${characters(code)}`,
  run,
};

async function run({ args, signal, tenantId }: ToolRun): Promise<ToolResult> {
  const given = { code: String(args.code), timeoutMs: TIMEOUT_MS };
  const options = { signal, tenantId, timeoutMs: TIMEOUT_MS + GRACE_MS };
  const { printed, value } = await offload("javascript", given, options);
  const lines = printed === "" ? [] : [`Printed:\n${printed}`];
  if (value !== "undefined" || printed === "") lines.push(`Result: ${value}`);
  return { text: lines.join("\n"), untrusted: null };
}

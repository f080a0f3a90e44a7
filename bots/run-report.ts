/** A run as a plain text that can be sent to somebody else: no secrets, and no words of people unless asked for. Pure. */
import type { Timeline } from "./run-timeline.ts";
import { inOrder } from "./run-tools.ts";

const iso = (at: number) => new Date(at).toISOString();

/** A bug report. `texts`: with the question, the messages that went to the model, and the answer. */
export function runReport(run: Timeline, { texts }: { texts: boolean }): string {
  const lines = [
    `Agentopia run ${run.id}`,
    `state        ${run.state}${run.stop ? ` (${run.stop.reason})` : ""}${sourceText(run)}`,
    `agent        ${run.agent.name}, version ${run.agent.version}, ${run.agent.state}`,
    `room         ${run.room?.id ?? "none"}`,
    `question     ${run.question.eventId}`,
    `attempts     ${run.attempts}, edits ${run.edits}, asked again ${run.again} times`,
    ...(run.error ? [`error        ${run.error.code ?? "unknown"}: ${run.error.sentence}`] : []),
    "",
    "Moments (ms after the question)",
    ...run.moments.map(({ what, at, sinceMs }) => `  ${what.padEnd(11)} ${iso(at)}  +${Math.round(sinceMs)}`),
    "",
    "Model calls and tools",
    ...(run.calls.length === 0 ? ["  none"] : []),
    ...inOrder(run.calls, run.tools).flatMap(({ call, tool }) => (call ? [callLine(call)] : toolLines(tool, texts))),
    ...(run.untrusted === null
      ? []
      : [`  it has read something that nobody vouches for${texts ? `: ${run.untrusted}` : ""}`]),
    ...contextLines(run, texts),
    ...(texts ? ["", "Question", indent(run.question.text), "", "Answer", indent(run.answer.text)] : []),
    "",
    texts ? "This report holds the texts of people." : "Texts were left out.",
  ];
  return `${redact(lines.join("\n"))}\n`;
}

const sourceText = ({ source, parent }: Timeline): string =>
  source === "try"
    ? ", tried in the panel"
    : source === "task"
      ? `, for ${parent ? `run ${parent.id}` : "a form"}`
      : "";

/** Reasons and sentences hold arguments: they are texts. */
function toolLines(tool: Timeline["tools"][number], texts: boolean): string[] {
  const { approval, untrusted, tokens } = tool;
  const asked = approval ? [`asked: ${approval.state}${approval.via ? ` by ${approval.via}` : ""}`] : [];
  const facts = [
    `tool ${tool.tool}: ${tool.state}`,
    ...asked,
    tool.durationMs === null ? "not ended" : `${Math.round(tool.durationMs)} ms`,
    ...(tokens > 0 ? [`${tokens} tokens`] : []),
    ...(untrusted === null ? [] : ["result not vouched for"]),
    ...tool.runs.map(({ id }) => `began run ${id}`),
  ];
  const line = `  ${iso(tool.at)} ${facts.join(", ")}`;
  if (!texts) return [line];
  const said = [
    ...(tool.reason ? [`why: ${tool.reason}`] : []),
    `arguments: ${tool.arguments === null ? (tool.erased ? "(erased)" : "none") : JSON.stringify(tool.arguments)}`,
    ...(approval?.answer ? [`said: ${approval.answer}`] : []),
    `result: ${tool.result ?? (tool.erased ? "(erased)" : "none")}`,
  ];
  return [line, indent(said.join("\n"))];
}

function callLine(call: Timeline["calls"][number]): string {
  const ms = (value: number | null) => (value === null ? "–" : `${Math.round(value)} ms`);
  const tokens = `${call.inputTokens} in, ${call.outputTokens} out${call.estimated ? " (estimated)" : ""}`;
  const more = `cached ${call.cachedTokens}, reasoning ${call.reasoningTokens}`;
  return (
    `  ${iso(call.at)} ${call.model}: ${call.state}, ${tokens}, ${more}, first token ${ms(call.firstTokenMs)}, ` +
    `in all ${ms(call.durationMs)}, ${call.result || "no result"}`
  );
}

function contextLines({ context }: Timeline, texts: boolean): string[] {
  if (!context) return [];
  const erased = context.messages.filter(({ text }) => text === null).length;
  const lines = [
    "",
    "Context",
    `  ${context.messages.length} messages, ${context.omitted} older ones left out, ${erased} erased since`,
    `  ${context.files.length} files, context window ${context.contextWindow} tokens`,
  ];
  if (!texts) return lines;
  const said = context.messages.flatMap(({ name, own, text }) => [
    `  ${own ? "the agent" : name}:`,
    indent(text ?? "(erased)"),
  ]);
  return [...lines, "  Instructions:", indent(context.instructions), ...said];
}

const indent = (text: string | null) => (text ?? "(none)").replaceAll(/^/gm, "    ");

/** What looks like a key or a token. Sentences of model servers sometimes quote the key they refuse. */
const SECRETS = [
  /\b(?:sk|pk|rk|agt|syt|mct|ghp|gho|ghs|xox[abp]|hf|gsk|AIza)[-_][A-Za-z0-9_-]{6,}/g,
  /\bAIza[A-Za-z0-9_-]{20,}/g,
  /\bAKIA[A-Z0-9]{12,}/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)?/g,
  // Read forwards: looking back over spaces from each of many thousand spaces would keep everybody waiting.
  /\b((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}/gi,
  /\b((?:api[-_ ]?key|access[-_ ]?token|token|secret|password|authorization|x-api-key)["']?\s*[:=]\s*["']?)[^\s"',;]{4,}/gi,
  /(\/\/)[^\s/@:]+:[^\s/@]+(?=@)/g,
];
/** Long and random: hex and base64 without words in it. Ids of ours are shorter or begin with a sign. */
const RANDOM = /(?<![$!@A-Za-z0-9_-])(?=[A-Za-z0-9_-]*\d)(?=[A-Za-z0-9_-]*[a-z])[A-Za-z0-9_-]{40,}/gi;
const LONG = 40;

/** The text with everything that looks like a secret taken out. */
export function redact(text: string): string {
  const clean = SECRETS.reduce(
    (left, pattern) => left.replaceAll(pattern, (_, before) => `${typeof before === "string" ? before : ""}[removed]`),
    text,
  );
  return hasLongWord(clean) ? clean.replaceAll(RANDOM, "[removed]") : clean;
}

/** Whether there is anything for `RANDOM`, which is slow: a word so long lies over every `LONG`-th place, so only those are looked at. */
function hasLongWord(text: string): boolean {
  for (let at = LONG - 1; at < text.length; at += LONG) {
    let from = at;
    let to = at;
    while (from >= 0 && inWord(text.charCodeAt(from))) from--;
    if (from === at) continue;
    while (to < text.length && inWord(text.charCodeAt(to))) to++;
    if (to - from > LONG) return true;
  }
  return false;
}

/** A–Z a–z 0–9 _ - */
const inWord = (code: number): boolean =>
  (code > 96 && code < 123) || (code > 64 && code < 91) || (code > 47 && code < 58) || code === 45 || code === 95;

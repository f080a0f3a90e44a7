import type { WantedCall } from "./model-wire.ts";

/**
 * What the scripted model does with a request. A test says it in the question itself, as `[[name value …]]`, so that it
 * holds through restarts of the platform, or with `script(fn)` on the server.
 *
 *   [[text Hello **you**]]   answers with that text          [[long 20000]]     answers with that many characters
 *   [[chunks 62 1600]]       62 pieces over 1600 ms          [[wait 3000]]      first token after 3000 ms
 *   [[silence 3]]            nothing more after 3 pieces     [[cut 3]]          connection cut after 3 pieces
 *   [[hang]]                 never answers at all            [[429 2]]          rate limited, retry-after 2 s
 *   [[500]] … [[599]]        server error                    [[garbage]]        a stream that is no JSON
 *   [[empty]]                ends without text               [[context]]        context length exceeded
 *   [[hold]]                 waits for `release()`           [[echo]]           says the question again, directives too
 *   [[call time {"zone":"UTC"}]]   calls that tool first (several: one after the other, a turn each), then answers
 *   [[results]]              answers with what the tools returned
 *   [[times 1]]              the failure happens once for this marker, then it answers
 *
 * `#q17` in the question is its marker; the answer is `Answer to #q17` unless told otherwise.
 */
export interface Behaviour {
  text?: string;
  /** Number of pieces that the text is streamed in, and the time for all of them. */
  chunks?: number;
  overMs?: number;
  firstTokenMs?: number;
  hold?: boolean;
  /** After so many pieces: the stream falls silent, or its connection is cut. */
  silentAfter?: number;
  cutAfter?: number;
  fail?: Failure;
  /** Tools that it calls in place of an answer, with what it says beside in `text`. */
  calls?: WantedCall[];
  /** What it calls turn by turn, before it answers. */
  turns?: WantedCall[];
  /** Its answer is what the tools returned. */
  sayResults?: boolean;
  /** How often `fail`, `silentAfter` or `cutAfter` happen for one marker; always when not set. */
  times?: number;
}

export type Failure =
  | { kind: "hang" }
  | { kind: "status"; status: number; retryAfterS?: number }
  | { kind: "garbage" }
  | { kind: "empty" }
  | { kind: "context" };

const MARKER = /#[A-Za-z][\w-]*/g;
const DIRECTIVE = /\[\[([a-z0-9]+)(?:[ ]((?:(?!\]\])[\s\S])*))?\]\]/g;

/** The last `#marker` in a text: earlier ones may belong to messages that came before the question. */
export function markerOf(text: string): string | undefined {
  return text.match(MARKER)?.at(-1);
}

/** What the text of a question asks the model to do. Throws for a directive that it does not know. */
export function behaviourOf(question: string): Behaviour {
  const marker = markerOf(question);
  const behaviour: Behaviour = { text: `Answer to ${marker ?? question.slice(0, 80)}` };
  // Directives of earlier messages may stand in the same text; those after the last marker but one are ours.
  const own = marker ? question.slice(startOfQuestion(question, marker)) : question;
  for (const [, name = "", value = ""] of own.matchAll(DIRECTIVE))
    if (name === "call") behaviour.turns = [...(behaviour.turns ?? []), wantedCall(value)];
    else Object.assign(behaviour, directive(name, value, own));
  return behaviour;
}

function startOfQuestion(text: string, marker: string): number {
  const last = text.lastIndexOf(marker);
  return text.lastIndexOf("\n", last) + 1;
}

function wantedCall(value: string): WantedCall {
  const [, tool = "", args = "{}"] = /^(\S+)\s*([\s\S]*)$/.exec(value) ?? [];
  try {
    return { tool, args: JSON.parse(args || "{}") as Record<string, unknown> };
  } catch {
    // On purpose: a model that writes broken JSON.
    return { tool, args };
  }
}

function directive(name: string, value: string, question: string): Behaviour {
  const [first = Number.NaN, second = Number.NaN] = value.split(" ").map(Number);
  const number = (fallback: number) => (Number.isNaN(first) ? fallback : first);
  if (/^5\d\d$/.test(name)) return { fail: { kind: "status", status: Number(name) } };
  switch (name) {
    case "text":
      return { text: value };
    case "long":
      return { text: longText(number(20_000)) };
    case "results":
      return { sayResults: true };
    case "echo":
      return { text: question };
    case "chunks":
      return { chunks: number(62), overMs: Number.isNaN(second) ? 0 : second };
    case "wait":
      return { firstTokenMs: number(1000) };
    case "hold":
      return { hold: true };
    case "silence":
      return { chunks: 10, silentAfter: number(3) };
    case "cut":
      return { chunks: 10, cutAfter: number(3) };
    case "hang":
    case "garbage":
    case "empty":
    case "context":
      return { fail: { kind: name } };
    case "429":
      return { fail: { kind: "status", status: 429, retryAfterS: number(1) } };
    case "times":
      return { times: number(1) };
    default:
      throw new Error(`The scripted model knows no directive [[${name}]].`);
  }
}

/** Numbered lines, so that a test can tell whether one is missing or there twice. */
export function longText(characters: number): string {
  const lines: string[] = [];
  for (let size = 0, n = 1; size < characters; n++) {
    const line = `Line ${n} of a long answer, which says nothing else than that it is line ${n}.`;
    lines.push(line);
    size += line.length + 2;
  }
  return lines.join("\n\n").slice(0, characters);
}

/** Cuts a text into `count` pieces that together are the text. */
export function pieces(text: string, count: number): string[] {
  const size = Math.max(1, Math.ceil(text.length / count));
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += size) parts.push(text.slice(at, at + size));
  return parts;
}

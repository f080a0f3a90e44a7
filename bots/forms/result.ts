/** The answer of a form: whether it is what the form promises, and how people read it. Pure. */
import type { JsonSchema } from "../../migrations/types.ts";
import { storable } from "../said.ts";
import { problemsOf } from "../tools/check-arguments.ts";
import { MISSING, wrongFields } from "../tools/problem-words.ts";
import { fieldsOf } from "./schema.ts";

/** `problems` are told to who answered, `people` to who filled it in. */
export type Outcome = { result: string } | { problems: string[]; people: string };

/** A text as it is; where fields are promised, these as JSON. */
export function outcomeOf(output: JsonSchema | null, answer: string): Outcome {
  if (output === null) return { result: answer };
  const said = jsonIn(answer);
  if (said === undefined)
    return { problems: ["It is no JSON object."], people: "It was a text, without the fields that are asked for." };
  // What nobody asked for is left out rather than complained about.
  const value = inOrder(output, said);
  const problems = problemsOf(output, value);
  return problems.length > 0
    ? { problems, people: wrongIn(output, value) }
    : { result: storable(JSON.stringify(value, null, 2)) };
}

function wrongIn(output: JsonSchema, value: Record<string, unknown>): string {
  return [...wrongFields({ input: output }, value)]
    .map(([name, words]) => `“${name}” ${words === MISSING ? "is missing" : "is not of the kind that is asked for"}.`)
    .join(" ");
}

/** The answer itself, what stands between fences, or what begins with the first brace and ends with the last one. */
function jsonIn(answer: string): Record<string, unknown> | undefined {
  const fenced = /```(?:json)?[ \t]*\n([\s\S]*?)\n?```/i.exec(answer)?.[1];
  const braces = answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1);
  for (const text of [answer, fenced, braces]) {
    const value = text ? parsed(text) : undefined;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Models write words around it, or no JSON at all: the next reading is tried, and at last they are told.
    return undefined;
  }
}

const inOrder = (output: JsonSchema, value: Record<string, unknown>) =>
  Object.fromEntries(
    fieldsOf(output)
      .filter(({ name }) => value[name] !== undefined)
      .map(({ name }) => [name, value[name]]),
  );

/** For a room: a text as it is, fields as lines with their titles. */
export function readable(output: JsonSchema | null, result: string): string {
  const value = output && parsed(result);
  if (!output || typeof value !== "object" || value === null) return result;
  const given = value as Record<string, unknown>;
  return fieldsOf(output)
    .filter(({ name }) => given[name] !== undefined && given[name] !== null)
    .map(({ name, title }) => `**${title}:** ${shown(given[name])}`)
    .join("\n\n");
}

function shown(value: unknown): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return `\n${value.map((item) => `- ${String(item).replaceAll("\n", " ")}`).join("\n")}`;
  return String(value);
}

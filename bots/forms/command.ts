/** `!name key=value key2="two words" …`: a form that is filled in by a message. Pure. */
import type { JsonSchema } from "../../migrations/types.ts";
import type { FormView } from "../room-view.ts";
import { MISSING } from "../tools/problem-words.ts";
import { type Field, fieldsOf } from "./schema.ts";
import { completeValues, type FieldProblems, type Values, valueProblems } from "./values.ts";

const COMMAND = /^\s*!([a-z][a-z0-9_]{1,39})(?=\s|$)/;

/** The word after `!` at the beginning of a message; null where there is none. */
export const formWord = (body: string): string | null => COMMAND.exec(body)?.[1] ?? null;

export type Reading = { values: Values } | { problem: string };

/** The values of a message, or the sentence that says what is missing or wrong, with an example. */
export function readFilling(body: string, form: Pick<FormView, "name" | "title" | "input">): Reading {
  const fields = fieldsOf(form.input);
  const { pairs, rest } = split(body.replace(COMMAND, ""), fields);
  const values: Values = {};
  const problems: FieldProblems = {};
  for (const { key, text } of pairs) {
    const field = fields.find(({ name }) => name === key);
    if (field) values[key] = typed(field.schema, text);
    else
      problems[key] =
        fields.length > 0
          ? `There is no such field. There are ${fields.map(({ name }) => name).join(", ")}.`
          : "There are no fields.";
  }
  const free = fields.filter(({ schema }) => schema.type === "string" && !schema.enum);
  const only = free.length === 1 ? free[0]?.name : undefined;
  if (rest !== "" && only !== undefined && values[only] === undefined) values[only] = rest;
  else if (rest !== "") return { problem: said(form, fields, `“${short(rest)}” belongs to no field.`) };
  const complete = completeValues(form.input, values);
  const wrong = { ...valueProblems(form.input, complete), ...problems };
  return Object.keys(wrong).length === 0
    ? { values: complete }
    : { problem: said(form, fields, sentences(wrong, complete)) };
}

const short = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}…` : text).replaceAll(/\s+/g, " ");

function sentences(wrong: FieldProblems, values: Values): string {
  const missing = Object.keys(wrong).filter((name) => values[name] === undefined && wrong[name] === MISSING);
  const others = Object.entries(wrong).filter(([name]) => !missing.includes(name));
  return [
    missing.length > 0 ? `${list(missing)} ${missing.length === 1 ? "is" : "are"} missing.` : "",
    ...others.map(([name, problem]) => `${name}: ${problem}`),
  ]
    .filter(Boolean)
    .join(" ");
}

const list = (names: string[]) =>
  names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

/** What is wrong, and how it is written. */
function said({ name, title }: Pick<FormView, "name" | "title">, fields: Field[], problem: string): string {
  return `“${title}” was not filled in. ${problem} Write it like this: ${exampleOf(name, fields)}`;
}

/** How the form is filled in by a message: with its required fields, else with its first two. */
export const exampleFilling = ({ name, input }: Pick<FormView, "name" | "input">): string =>
  exampleOf(name, fieldsOf(input));

function exampleOf(form: string, fields: Field[]): string {
  const required = fields.filter((field) => field.required);
  const shown = required.length > 0 ? required : fields.slice(0, 2);
  return [`!${form}`, ...shown.map(pairOf)].join(" ");
}

function pairOf({ name, schema }: Field): string {
  const { enum: choices, type, format } = schema;
  if (Array.isArray(choices)) return `${name}=${quoted(String(choices[0]))}`;
  if (type === "number" || type === "integer") return `${name}=12`;
  if (type === "boolean") return `${name}=yes`;
  if (format === "date") return `${name}=2026-03-14`;
  return format === "email" ? `${name}=ann@example.org` : `${name}="some words"`;
}

const quoted = (text: string) => (/\s/.test(text) ? `"${text}"` : text);

/** What phones make of quotation marks, too. */
const QUOTES: Record<string, string> = { '"': '"', "“": "”", "„": "“", "«": "»" };

interface Split {
  pairs: { key: string; text: string }[];
  rest: string;
}

/** Pairs in front and, with names that the form has, anywhere; what is left over is one text. */
function split(text: string, fields: Field[]): Split {
  const known = new Set(fields.map(({ name }) => name));
  const pairs: Split["pairs"] = [];
  let rest = "";
  let at = 0;
  while (at < text.length) {
    const [all = "", name] = matchAt(PAIR, text, at);
    const key = name?.toLowerCase();
    if (key !== undefined && (known.has(key) || rest.trim() === "")) {
      const { value, end } = valueAt(text, at + all.length);
      pairs.push({ key, text: value });
      at = end;
      continue;
    }
    const [word = text.slice(at)] = matchAt(WORD, text, at);
    rest += word;
    at += word.length;
  }
  return { pairs, rest: rest.trim() };
}

const PAIR = /\s+([a-z][a-z0-9_]{0,39})=/iy;
const WORD = /\s*\S+|\s+/y;

function matchAt(pattern: RegExp, text: string, at: number): (string | undefined)[] {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? [];
}

function valueAt(text: string, from: number): { value: string; end: number } {
  const closing = QUOTES[text[from] ?? ""];
  if (closing === undefined) {
    const [value = ""] = matchAt(/\S*/y, text, from);
    return { value, end: from + value.length };
  }
  let value = "";
  for (let at = from + 1; at < text.length; at++) {
    const character = text[at] ?? "";
    // „ is closed by “ in one language and by ” in another.
    if (character === closing || (text[from] === "„" && character === "”")) return { value, end: at + 1 };
    if (character === "\\" && text[at + 1] === closing) at++;
    value += text[at];
  }
  return { value, end: text.length };
}

/** By the field's kind; what is not of it stays a text, and is complained about. */
function typed({ type, enum: choices }: JsonSchema, text: string): unknown {
  if (type === "number" || type === "integer") return /^[+-]?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (type === "boolean") {
    if (/^(yes|true|on|1)$/i.test(text)) return true;
    return /^(no|false|off|0)$/i.test(text) ? false : text;
  }
  if (Array.isArray(choices))
    return choices.find((choice) => String(choice).toLowerCase() === text.toLowerCase()) ?? text;
  return text;
}

/**
 * What may be shown of a call: arguments and results without what looks like a secret. By rule, not by who looks: a page of calls is read over shoulders, copied
 * into reports and kept in screenshots. Pure; test/unit/showable.test.ts is its table.
 */
import type { JsonSchema } from "../../migrations/types.ts";
import { redact } from "../run-report.ts";
import type { Args, Tool } from "./tool.ts";

const HIDDEN = "[removed]";
const DEEPEST = 12;
const LONGEST_JSON = 200_000;
/** What is shorter stands in other words too. */
const SHORTEST = 4;

/** Words that make a key's value a secret, wherever they stand in it: `accessToken`, `db_password`. */
const WORDS = new Set([
  ..."password passwd passphrase passcode pass pwd token secret secrets authorization authentication auth".split(" "),
  ..."cookie cookies credential credentials pin otp totp jwt bearer apikey apitoken".split(" "),
]);
/** Two words that only together make one: `X-Api-Key`. */
const PAIR = /(?:(?:api|access|private|secret|signing|encryption) key|session id)$/;

/** Whether what stands under this key is hidden, whatever it is. */
export function isSecretKey(key: string): boolean {
  const parts = key
    .slice(0, 200)
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean);
  return parts.some((part) => WORDS.has(part)) || PAIR.test(parts.join(" "));
}

/** Arguments as they may be shown. `schema`: the tool's, as far as it is known; what it calls a password is hidden too. */
export const showableArguments = (args: Args, schema?: JsonSchema): Args => looked(args, schema).shown as Args;

/**
 * A result as it may be shown. One that is JSON is looked through by its keys as well. `of`: the call's arguments; what is hidden there is hidden
 * where the result repeats it. `most`: so many characters of it are wanted; of a longer text the rest is not looked through.
 */
export function showableResult(
  text: string,
  of: { args: Args | null; schema?: JsonSchema | undefined } = { args: null },
  most = Number.POSITIVE_INFINITY,
): string {
  const secrets = of.args === null ? [] : looked(of.args, of.schema).hidden.filter(({ length }) => length >= SHORTEST);
  const clean = secrets.reduce((left, secret) => left.replaceAll(secret, HIDDEN), text);
  const value = /^\s*[[{]/.test(clean) && clean.length <= LONGEST_JSON ? parsed(clean) : undefined;
  if (value !== undefined) return upTo(JSON.stringify(looked(value).shown, null, clean.includes("\n") ? 2 : 0), most);
  return clean.length > 2 * most
    ? `${redact(wholeWords(clean, 2 * most)).slice(0, most)} …`
    : upTo(redact(clean), most);
}

const upTo = (text: string, most: number) => (text.length > most ? `${text.slice(0, most)} …` : text);

/** The beginning without the word that the cut goes through: half a secret does not look like one. */
function wholeWords(text: string, most: number): string {
  const cut = text.slice(0, most);
  return cut.slice(0, Math.max(0, cut.lastIndexOf(" "), cut.lastIndexOf("\n")));
}

/**
 * What a question to people says, as it may be shown beside its arguments. What a call wants is said anew with what may be shown of them: a text that was cut or
 * quoted no longer holds its secrets as they are. Of a tool that is not known, neither is which of its arguments are secret: then only its name is said.
 */
export function showableSentence(
  question: { kind: "tool" | "input"; sentence: string; tool: string; args: Args | null },
  tool: Pick<Tool, "input" | "sentence"> | undefined,
): string {
  const { kind, sentence, args } = question;
  if (kind === "input" || args === null) return showableResult(sentence, { args, schema: tool?.input });
  return tool ? tool.sentence(showableArguments(args, tool.input)) : `use ${question.tool}`;
}

function looked(value: unknown, schema?: JsonSchema): { shown: unknown; hidden: string[] } {
  const root = (schema ?? {}) as Node;
  const hidden: string[] = [];
  return { shown: shown(value, { schemas: schemasOf(root, root), root, depth: 0, hidden }), hidden };
}

/** All texts in a value. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

type Node = Record<string, unknown>;

interface At {
  /** The schemas that speak of this value. */
  schemas: Node[];
  root: Node;
  depth: number;
  /** Gets what is hidden. */
  hidden: string[];
}

function shown(value: unknown, at: At): unknown {
  const { schemas, root, depth, hidden } = at;
  const hide = (secret: unknown) => {
    hidden.push(...textsIn(secret));
    return HIDDEN;
  };
  if (value !== null && schemas.some(isSecretSchema)) return hide(value);
  if (typeof value === "string") return redact(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEEPEST) return hide(value);
  if (Array.isArray(value)) {
    const items = { schemas: schemas.flatMap(({ items }) => schemasOf(items, root)), root, depth: depth + 1, hidden };
    return value.map((item) => shown(item, items));
  }
  const pair = nameOf(value as Node);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const secret = isSecretKey(key) || (key === "value" && pair !== null && isSecretKey(pair));
      if (secret && item !== null) return [key, hide(item)];
      return [key, shown(item, { schemas: below(schemas, key, root), root, depth: depth + 1, hidden })];
    }),
  );
}

/** `{"name": "Authorization", "value": "…"}`: a header as a pair. */
function nameOf(value: Node): string | null {
  const name = value.name ?? value.key ?? value.header;
  return typeof name === "string" ? name : null;
}

const isSecretSchema = (node: Node) =>
  node.format === "password" || node["x-secret"] === true || node.writeOnly === true;

function below(schemas: Node[], key: string, root: Node): Node[] {
  return schemas.flatMap((node) => {
    const { properties } = node as { properties?: Node };
    if (properties && Object.hasOwn(properties, key)) return schemasOf(properties[key], root);
    return schemasOf(node.additionalProperties, root);
  });
}

/** A schema with everything that it is made of: its branches, and what it refers to within itself. */
function schemasOf(schema: unknown, root: Node): Node[] {
  const all = new Set<Node>();
  const add = (one: unknown) => {
    if (typeof one !== "object" || one === null || all.has(one as Node)) return;
    const node = one as Node;
    all.add(node);
    for (const list of [node.allOf, node.anyOf, node.oneOf, node.prefixItems])
      if (Array.isArray(list)) list.forEach(add);
    if (typeof node.$ref === "string") add(referredTo(node.$ref, root));
    for (const branch of [node.if, node.then, node.else]) add(branch);
  };
  add(schema);
  return [...all];
}

function referredTo(ref: string, root: Node): unknown {
  if (!ref.startsWith("#")) return undefined;
  let at: unknown = root;
  for (const part of ref.slice(1).split("/").filter(Boolean)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    at = typeof at === "object" && at !== null && Object.hasOwn(at, key) ? (at as Node)[key] : undefined;
  }
  return at;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no JSON: looked at as a text
  }
}

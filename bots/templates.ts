/** Agents to begin with: the files in `templates/`, each a definition with its instructions as the text below. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { AppError } from "../core/errors.ts";
import type { AgentDefinition, AgentTools, Scope, ToolPolicy } from "../migrations/types.ts";

export interface Template {
  /** The file's name without its ending. */
  id: string;
  /** What the gallery calls it: its trade. `definition.name` is what an agent made from it is called. */
  title: string;
  /** The gallery's heading above it. */
  category: string;
  definition: AgentDefinition;
  /** What one may ask it. */
  questions: string[];
}

const FOLDER = path.join(import.meta.dirname, "templates");

/** They ship with the code, so they are read once. */
let shipped: readonly Template[] | undefined;

/** All templates that ship, by their ids. Throws `internal` for a file that is not as it must be. */
export function listTemplates(folder: string = FOLDER): readonly Template[] {
  if (folder !== FOLDER) return readTemplates(folder);
  shipped ??= readTemplates(folder);
  return shipped;
}

function readTemplates(folder: string): Template[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".md"));
  return files.sort().map((file) => parseTemplate(file.slice(0, -3), readFileSync(path.join(folder, file), "utf8")));
}

/** One of them. Throws `not_found` with those that there are. */
export function getTemplate(id: string): Template {
  const all = listTemplates();
  const found = all.find((template) => template.id === id);
  if (found) return found;
  const ids = all.map((one) => one.id).join(", ");
  throw new AppError("not_found", `There is no template "${id}". Choose one of ${ids}.`);
}

/** Front matter is `key: value` a line, with `- item` lines for lists: all that a template needs of YAML. */
export function parseTemplate(id: string, source: string): Template {
  const [, head, body] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(source.replaceAll("\r\n", "\n")) ?? [];
  if (head === undefined || !body?.trim())
    throw broken(id, "it needs front matter between two lines of --- and a text");
  const { values, lists } = readHead(id, head);
  const scope = SCOPES.find((one) => one === (values.get("scope") ?? "member"));
  if (!scope) throw broken(id, "its scope is not one of observer, member and moderator");
  const name = values.get("name");
  if (!name) throw broken(id, "it has no name");
  const variables = readVariables(id, lists.get("variables") ?? []);
  const tools = readTools(id, lists.get("tools") ?? []);
  return {
    id,
    title: values.get("title") ?? name,
    category: values.get("category") ?? "Other",
    questions: lists.get("questions") ?? [],
    definition: {
      name,
      description: values.get("description") ?? "",
      instructions: body.trim(),
      model: values.get("model") ?? null,
      whoMayInvite: values.get("whoMayInvite") === "nobody" ? "nobody" : "anyone",
      scope,
      ...(variables ? { variables } : {}),
      ...(tools ? { tools } : {}),
    },
  };
}

/** `name: value` a line: what managers fill in to make the agent theirs. */
function readVariables(id: string, lines: string[]): Record<string, string> | null {
  if (lines.length === 0) return null;
  const pairs = lines.map((line) => {
    const [, name, value] = /^(\w+):\s*(.+)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw broken(id, `this variable is not understood: ${line}`);
    return [name, value] as const;
  });
  return Object.fromEntries(pairs);
}

const POLICIES: ToolPolicy[] = ["never", "ask", "direct", "allowed"];

/** `group: policy` or `tool: policy` a line. */
function readTools(id: string, lines: string[]): AgentTools | null {
  if (lines.length === 0) return null;
  const pairs = lines.map((line) => {
    const [, name, word] = /^(\w+):\s*(\w+)$/.exec(line) ?? [];
    const policy = POLICIES.find((one) => one === word);
    if (name === undefined || !policy) throw broken(id, `what it may use is not understood: ${line}`);
    return [name, { policy }] as const;
  });
  return Object.fromEntries(pairs);
}

const SCOPES: Scope[] = ["observer", "member", "moderator"];

function readHead(id: string, head: string): { values: Map<string, string>; lists: Map<string, string[]> } {
  const values = new Map<string, string>();
  const lists = new Map<string, string[]>();
  let list: string[] | null = null;
  for (const line of head.split("\n").filter((one) => one.trim() !== "")) {
    const [, item] = /^\s+-\s+(.*)$/.exec(line) ?? [];
    const [, key, value] = /^(\w+):\s*(.*)$/.exec(line) ?? [];
    if (item !== undefined && list) list.push(item.trim());
    else if (key !== undefined && value) values.set(key, value.trim());
    else if (key !== undefined) {
      list = [];
      lists.set(key, list);
    } else throw broken(id, `this line is not understood: ${line}`);
  }
  return { values, lists };
}

const broken = (id: string, why: string) => new AppError("internal", `The template ${id} cannot be used: ${why}.`);

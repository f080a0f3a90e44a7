import { createHash } from "node:crypto";
import type { Args, Tool } from "./tool.ts";

/** What an approval is bound to: other arguments, or another schema, are another question. SHA-256 of the value with its keys in order. */
export const hashOf = (value: unknown): string => createHash("sha256").update(canonical(value)).digest("hex");

export const argumentsHash = (args: Args | null): string => hashOf(args);
export const schemaHash = (tool: Pick<Tool, "name" | "input">): string =>
  hashOf({ name: tool.name, input: tool.input });

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
}

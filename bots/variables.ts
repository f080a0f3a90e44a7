/** `{{name}}` in instructions. Pure. */
import type { AgentDefinition } from "../migrations/types.ts";

/** Filled in by the platform where an agent gives no value of its own. */
export const BUILT_IN = ["agent", "company", "room", "date"] as const;
export type BuiltIn = Record<(typeof BUILT_IN)[number], string>;

const PLACE = /\{\{\s*([a-z][a-z0-9_]*)\s*\}\}/g;

/** Puts values in their places. What has none stays as it is written; what a value contains is not looked at again. */
export function fillVariables(text: string, values: Record<string, string>): string {
  return text.replaceAll(PLACE, (place, name: string) => (Object.hasOwn(values, name) ? (values[name] ?? "") : place));
}

/** Names in the instructions that nobody gives a value: each once, as they are written. */
export function unknownVariables({ instructions, variables = {} }: AgentDefinition): string[] {
  const known = new Set<string>([...BUILT_IN, ...Object.keys(variables)]);
  // Spaces are taken away afterwards: a pattern that tries all ways to share out thousands of them never ends.
  const named = [...instructions.matchAll(/\{\{([^{}]{1,100})\}\}/g)].map(([, name = ""]) => name.trim());
  return [...new Set(named)].filter(
    (name) => name !== "" && name.length <= 60 && !name.includes("\n") && !known.has(name),
  );
}

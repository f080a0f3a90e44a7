/** What people call the arguments of a tool. Pure. */
import type { Tool } from "./tool.ts";

/**
 * Of every argument that the schema knows, in the schema's order, which a database does not keep: the tool's own word, or the schema's title, or else its name.
 */
export function labelsOf(tool: Pick<Tool, "input" | "labels"> | undefined): Record<string, string> {
  const named = Object.entries(tool?.input.properties ?? {}).map(([name, field]) => {
    const title: unknown = tool?.labels?.[name] ?? field?.title;
    return [name, typeof title === "string" && title.trim() !== "" ? title.trim() : name] as const;
  });
  return Object.fromEntries(named);
}

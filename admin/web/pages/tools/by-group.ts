/** Tools in their groups, as people look for them. */
import type { ToolView } from "../../../api/tools-views.ts";
import { usePages } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { texts } from "../../texts.ts";

export interface ToolGroup {
  name: string;
  tools: ToolView[];
}

const ORDER = Object.keys(texts.tools.groups);

/** In the order of the catalogue of texts; groups of others come last, by their names. */
export function byGroup(tools: readonly ToolView[]): ToolGroup[] {
  const rank = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return [...Map.groupBy(tools, ({ group }) => group)]
    .map(([name, those]) => ({ name, tools: those }))
    .toSorted((a, b) => rank(a.name) - rank(b.name) || a.name.localeCompare(b.name));
}

export const useTools = (client: string) => usePages<ToolView>("tools", inClient(client, "tools"));

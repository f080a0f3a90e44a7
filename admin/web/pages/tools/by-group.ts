/** Tools in their groups, as people look for them. */
import { useEffect } from "react";
import type { ToolView } from "../../../api/tools-views.ts";
import { type Pages, usePages } from "../../api.ts";
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

/** All of them: page after page, since who looks at a group wants to see the whole of it. */
export function useTools(client: string): Pages<ToolView> {
  const pages = usePages<ToolView>("tools", inClient(client, "tools"), { limit: 100 });
  const goesOn = pages.hasMore && !pages.error;
  useEffect(() => {
    if (goesOn && !pages.loadingMore) pages.more();
  }, [goesOn, pages.loadingMore, pages.more]);
  return { ...pages, loading: pages.loading || goesOn };
}

/** Where tools come from: one line a source. Sources outside of `bots` (MCP servers) are added by whoever starts the platform, before anything runs. */
import type { Context } from "../../core/context.ts";
import { formSource } from "../forms/source.ts";
import { BUILT_IN } from "./built-in.ts";
import type { Tool, ToolSource } from "./tool.ts";

const sources: ToolSource[] = [{ list: async () => BUILT_IN }, formSource];

/** Adds a source. Call it before the platform starts. */
export const addToolSource = (source: ToolSource): void => void sources.push(source);

/** Every tool that this client has, by name; those of `names` at least, where some are named. Of two with one name the first source's counts. */
export async function listTools(ctx: Context, tenantId: string, names?: readonly string[]): Promise<Map<string, Tool>> {
  const lists = await Promise.all(sources.map((source) => source.list(ctx, tenantId, names)));
  const tools = new Map<string, Tool>();
  for (const tool of lists.flat()) if (!tools.has(tool.name)) tools.set(tool.name, tool);
  return tools;
}

/** What an agent may call in one run: the tools that its boundaries name, as the model is told of them. */
import type { LanguageModelV4FunctionTool } from "@ai-sdk/provider";
import type { Context } from "../../core/context.ts";
import type { AgentTools } from "../../migrations/types.ts";
import type { Work } from "../work.ts";
import { isOffered } from "./decide.ts";
import { listTools } from "./sources.ts";
import type { Tool } from "./tool.ts";

export interface Toolbox {
  bounds: AgentTools;
  /** By name. */
  tools: ReadonlyMap<string, Tool>;
  specs: LanguageModelV4FunctionTool[];
}

/** Null for an agent that uses none: it pays nothing for those who do. */
export async function openToolbox(ctx: Context, work: Pick<Work, "tenantId" | "bounds">): Promise<Toolbox | null> {
  const { bounds } = work;
  if (!bounds || Object.keys(bounds).length === 0) return null;
  const all = await listTools(ctx, work.tenantId);
  const tools = new Map([...all].filter(([, tool]) => isOffered(bounds, tool)));
  if (tools.size === 0) return null;
  return { bounds, tools, specs: [...tools.values()].map(specOf) };
}

const specOf = ({ name, description, input }: Tool): LanguageModelV4FunctionTool => ({
  type: "function",
  name,
  description,
  inputSchema: input as LanguageModelV4FunctionTool["inputSchema"],
});

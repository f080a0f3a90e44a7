/** What the form of an agent knows of a definition, without a page. */

import type { AgentView, DefinitionView } from "../../../api/agents-views.ts";
import { inClient } from "../../api-path.ts";

export type Definition = DefinitionView;

/** As the API takes it. */
export const MOST = { name: 60, purpose: 500, instructions: 100_000 };

/** Filled in by themselves. */
export const BUILT_IN = ["agent", "company", "room", "date"] as const;

/** Names in `{{ }}`, each once, in the order in which they come. */
export const variablesIn = (text: string): string[] => [
  ...new Set([...text.matchAll(/\{\{\s*([^{}\n]{1,60}?)\s*\}\}/g)].map(([, name]) => name ?? "")),
];

/** Those that nothing is put in the place of. */
export const unknownVariables = ({ instructions, variables = {} }: Definition): string[] =>
  variablesIn(instructions).filter((name) => !isBuiltIn(name) && !Object.hasOwn(variables, name));

/** What a variable may be called. */
export const isVariableName = (name: string): boolean => /^[a-z][a-z0-9_]{0,39}$/.test(name);

export const isBuiltIn = (name: string): boolean => (BUILT_IN as readonly string[]).includes(name);

/** What the form begins with; null where the caller may not see it. */
export const editable = (agent: AgentView): Definition | null => agent.draft ?? agent.definition;

export const agentPath = (client: string, agent: string, rest = ""): string =>
  `${inClient(client, "agents", agent)}${rest}`;

/** A person as the log names them: `operator:name` or a Matrix user id. */
export const whoOf = (by: string | null): string | null => by?.replace(/^operator:/, "") ?? null;

/** New agents, as drafts that nobody sees. */
import type { AgentView } from "../../../api/agents-views.ts";
import { Problem, post } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import type { Definition } from "./definition.ts";

const TRIES = 50;

/** From a template, under its name or the next free one ("Writer 2"); or blank, with a definition. */
export type Wish = { template: string } | { definition: Partial<Definition> & { name: string } };

/** Throws what the API says, but not that a name is taken. */
export async function makeAgent(client: string, wish: Wish): Promise<AgentView> {
  const path = inClient(client, "agents");
  if ("template" in wish) return await post<AgentView>(path, { template: wish.template });
  const { name } = wish.definition;
  for (let n = 1; ; n++)
    try {
      return await post<AgentView>(path, { definition: { ...wish.definition, name: n === 1 ? name : `${name} ${n}` } });
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 409 || n >= TRIES) throw error;
    }
}

/** New agents, as drafts that nobody sees. */
import type { AgentView } from "../../../api/agents-views.ts";
import { Problem, post } from "../../api.ts";
import type { Definition } from "./definition.ts";

const TRIES = 50;

/** What it is made from. `name` is taken when it is free, else "Writer 2". */
export interface Wish {
  name: string;
  template?: string;
  definition?: Partial<Definition>;
}

/** Throws what the API says, but not that a name is taken. */
export async function makeAgent(client: string, { name, template, definition }: Wish): Promise<AgentView> {
  for (let n = 1; ; n++) {
    const free = n === 1 ? name : `${name} ${n}`;
    try {
      return await post<AgentView>(`/clients/${encodeURIComponent(client)}/agents`, {
        ...(template ? { template } : {}),
        definition: { ...definition, name: free },
      });
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 409 || n >= TRIES) throw error;
    }
  }
}

/** The draft of an agent while somebody writes it. */
import type { AgentView } from "../../../api/agents-views.ts";
import { type SavedDraft, useSavedDraft } from "../../parts/use-saved-draft.ts";
import { texts } from "../../texts.ts";
import { agentPath, type Definition, editable } from "./definition.ts";

export type { SaveState } from "../../parts/use-saved-draft.ts";
export type Draft = SavedDraft<Definition>;

/** `agent` is what the platform has; null while it is not known, or where it may not be read. */
export const useDraft = (client: string, agent: AgentView | null, mayWrite: boolean): Draft | null =>
  useSavedDraft({
    thing: agent,
    path: agentPath(client, agent?.id ?? ""),
    mayWrite,
    editable,
    adopted: texts.agents.state.adopted,
  });

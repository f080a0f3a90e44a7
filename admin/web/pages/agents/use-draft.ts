/** The draft of an agent while somebody writes it: saved by itself, never lost, told when somebody else was faster. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { AgentView, DraftView } from "../../../api/agents-views.ts";
import { fieldErrors, Problem, put } from "../../api.ts";
import { useLive } from "../../live.ts";
import { useMe } from "../../me.tsx";
import { saidDone } from "../../parts/said.tsx";
import { texts } from "../../texts.ts";
import { agentPath, type Definition, editable, sameDefinition } from "./definition.ts";

const SAVE_AFTER_MS = 1500;
const TRY_AGAIN_MS = 3000;

export type SaveState = "saved" | "unsaved" | "saving" | "failed" | "conflict";

export interface Draft {
  definition: Definition;
  revision: number;
  state: SaveState;
  error: unknown;
  /** Sentences about fields, by the path in the definition. */
  errors: Record<string, string>;
  /** What somebody else saved meanwhile. */
  theirs: DraftView | null;
  change(part: Partial<Definition>): void;
  /** The draft that was saved last, newer perhaps than what is drawn. */
  revisionNow(): number;
  /** Saves now; true when all is saved. */
  save(): Promise<boolean>;
  keepMine(): void;
  takeTheirs(): void;
  /** The platform counts on from here; what was typed since stays. */
  published(revision: number): void;
  /** Begins again with what the platform has, after it changed there. */
  reset(definition: Definition, revision: number): void;
}

interface Kept {
  definition: Definition;
  revision: number;
  state: SaveState;
  error: unknown;
  theirs: DraftView | null;
}

/** `agent` is what the platform has; null while it is not known, or where it may not be read. */
export function useDraft(client: string, agent: AgentView | null, mayWrite: boolean): Draft | null {
  const [shown, setShown] = useState<Kept | null>(null);
  // Timers and answers need what is true now, not what was drawn.
  const kept = useRef<Kept | null>(null);
  const saving = useRef<Promise<boolean> | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const id = agent?.id ?? "";

  const set = useCallback((part: Partial<Kept>) => {
    if (!kept.current) return;
    kept.current = { ...kept.current, ...part };
    setShown(kept.current);
  }, []);

  const save = useCallback(async (): Promise<boolean> => {
    clearTimeout(timer.current);
    if (saving.current) {
      await saving.current;
      return kept.current?.state === "saved" ? true : kept.current?.state === "unsaved" ? await save() : false;
    }
    const now = kept.current;
    if (!now || now.state === "saved") return true;
    if (now.state === "conflict") return false;
    const later = (ms: number) => {
      timer.current = setTimeout(() => void save(), ms);
    };
    saving.current = sendDraft(agentPath(client, id, "/draft"), now, { kept, set, later }).finally(() => {
      saving.current = null;
    });
    return await saving.current;
  }, [client, id, set]);

  useAdoption(agent, kept, setShown);
  useLastSave(save, kept);
  useSaveOnReturn(save, kept);

  if (!shown || !agent) return null;
  return {
    ...shown,
    errors: fieldsOf(shown.error),
    revisionNow: () => kept.current?.revision ?? shown.revision,
    save,
    change(part) {
      if (!mayWrite || !kept.current) return;
      const state = kept.current.state === "conflict" ? "conflict" : "unsaved";
      set({ definition: { ...kept.current.definition, ...part }, state });
      clearTimeout(timer.current);
      if (state === "unsaved") timer.current = setTimeout(() => void save(), SAVE_AFTER_MS);
    },
    keepMine() {
      if (!kept.current?.theirs) return;
      set({ revision: kept.current.theirs.revision, theirs: null, state: "unsaved", error: null });
      void save();
    },
    takeTheirs() {
      const theirs = kept.current?.theirs;
      if (theirs)
        set({ definition: theirs.definition, revision: theirs.revision, theirs: null, state: "saved", error: null });
    },
    published: (revision) => set({ revision }),
    reset(definition, revision) {
      clearTimeout(timer.current);
      set({ definition, revision, state: "saved", error: null, theirs: null });
    },
  };
}

interface Sending {
  kept: { current: Kept | null };
  set(part: Partial<Kept>): void;
  later(ms: number): void;
}

async function sendDraft(path: string, sent: Kept, { kept, set, later }: Sending): Promise<boolean> {
  set({ state: "saving" });
  try {
    const { revision } = await put<{ revision: number }>(path, {
      definition: sent.definition,
      revision: sent.revision,
    });
    const all = kept.current?.definition === sent.definition;
    set({ revision, state: all ? "saved" : "unsaved", error: null });
    if (!all) later(SAVE_AFTER_MS);
    return all;
  } catch (error) {
    if (error instanceof Problem && error.status === 409 && error.current)
      set({ state: "conflict", theirs: error.current as DraftView, error: null });
    else {
      set({ state: "failed", error });
      // What it refused is refused again until somebody changes it.
      if (isAway(error)) later(TRY_AGAIN_MS);
    }
    return false;
  }
}

/** The platform is away: it comes back. */
const isAway = (error: unknown): boolean => error instanceof Problem && (error.status === 0 || error.status >= 500);

/** The platform is heard again: what it could not take is sent at once. */
function useSaveOnReturn(save: () => Promise<boolean>, kept: { current: Kept | null }): void {
  const heard = useLive() === "connected";
  useEffect(() => {
    if (heard && kept.current?.state === "failed" && isAway(kept.current.error)) void save();
  }, [heard, save, kept]);
}

/** Takes up what the platform has: at first, and when somebody else saved while nothing is unsaved here. */
function useAdoption(
  agent: AgentView | null,
  kept: { current: Kept | null },
  setShown: (kept: Kept | null) => void,
): void {
  const { kind, id, name } = useMe();
  // As the platform calls who saved: one's own other window is no surprise.
  const me = kind === "operator" ? `operator:${name}` : id;
  useEffect(() => {
    const definition = agent && editable(agent);
    if (!agent || !definition) return;
    const revision = agent.revision ?? 0;
    const now = kept.current;
    if (now && (now.state !== "saved" || revision < now.revision)) return;
    if (now && revision === now.revision && sameDefinition(now.definition, definition)) return;
    if (now && agent.draftBy !== me && !sameDefinition(now.definition, definition))
      saidDone(texts.agents.state.adopted);
    kept.current = { definition, revision, state: "saved", error: null, theirs: null };
    setShown(kept.current);
  }, [agent, kept, setShown, me]);
}

/** Whoever leaves the page: the browser asks, and what is unsaved is saved on the way to another page of the panel. */
function useLastSave(save: () => Promise<boolean>, kept: { current: Kept | null }): void {
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => {
      if (kept.current && kept.current.state !== "saved") event.preventDefault();
    };
    window.addEventListener("beforeunload", ask);
    return () => {
      window.removeEventListener("beforeunload", ask);
      if (kept.current?.state === "unsaved") void save();
    };
  }, [save, kept]);
}

/** The API names fields below `definition` when a whole draft was refused. */
const fieldsOf = (error: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fieldErrors(error)).map(([path, text]) => [path.replace(/^definition\./, ""), text]),
  );

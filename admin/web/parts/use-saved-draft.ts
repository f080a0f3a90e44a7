/** A draft while somebody writes it: saved by itself, never lost, told when somebody else was faster. */
import { useCallback, useEffect, useRef, useState } from "react";
import { fieldErrors, Problem, put } from "../api.ts";
import { useLive } from "../live.ts";
import { useMe } from "../me.tsx";
import { saidDone } from "./said.tsx";
import { sameJson } from "./same-json.ts";

const SAVE_AFTER_MS = 1500;
const TRY_AGAIN_MS = 3000;

export type SaveState = "saved" | "unsaved" | "saving" | "failed" | "conflict";

/** A draft as somebody else left it; what a 409 of saving carries as `current`. */
export interface Theirs<Definition> {
  definition: Definition;
  revision: number;
  by: string | null;
  at: string | null;
}

/** What the platform has. */
export interface Source {
  revision: number | null;
  draftBy: string | null;
  /** Newest first: where there is no draft, it was published or set back by who made the newest. */
  versions: readonly { by: string | null }[];
}

export interface SavedDraft<Definition> {
  definition: Definition;
  revision: number;
  state: SaveState;
  error: unknown;
  /** Sentences about fields, by the path in the definition. */
  errors: Record<string, string>;
  /** What somebody else saved meanwhile. */
  theirs: Theirs<Definition> | null;
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

interface KeptOf<Definition> {
  definition: Definition;
  revision: number;
  state: SaveState;
  error: unknown;
  theirs: Theirs<Definition> | null;
}

/** How the thing that is written is found, and saved. */
export interface DraftOf<Thing extends Source, Definition> {
  /** What the platform has; null while it is not known, or where it may not be read. */
  thing: Thing | null;
  /** Its path below `/api/v1`. */
  path: string;
  mayWrite: boolean;
  /** What is written of it: the same function at every draw. */
  editable: (thing: Thing) => Definition | null;
  /** What is said when somebody else's was taken over. */
  adopted: string;
}

export function useSavedDraft<Thing extends Source, Definition extends object>({
  thing,
  path,
  mayWrite,
  editable,
  adopted,
}: DraftOf<Thing, Definition>): SavedDraft<Definition> | null {
  type Kept = KeptOf<Definition>;
  const [shown, setShown] = useState<Kept | null>(null);
  // Timers and answers need what is true now, not what was drawn.
  const kept = useRef<Kept | null>(null);
  const saving = useRef<Promise<boolean> | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

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
    saving.current = sendDraft(`${path}/draft`, now, { kept, set, later }).finally(() => {
      saving.current = null;
    });
    return await saving.current;
  }, [path, set]);

  useAdoption({ thing, editable, adopted }, kept, setShown);
  useLastSave(save, kept);
  useSaveOnReturn(save, kept);

  if (!shown || !thing) return null;
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

interface Sending<Definition> {
  kept: { current: KeptOf<Definition> | null };
  set(part: Partial<KeptOf<Definition>>): void;
  later(ms: number): void;
}

async function sendDraft<Definition>(
  path: string,
  sent: KeptOf<Definition>,
  { kept, set, later }: Sending<Definition>,
): Promise<boolean> {
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
      set({ state: "conflict", theirs: error.current as Theirs<Definition>, error: null });
    else {
      set({ state: "failed", error });
      // What it refused is refused again until somebody changes it.
      if (isAway(error)) later(TRY_AGAIN_MS);
    }
    return false;
  }
}

interface Unsaved {
  current: Pick<KeptOf<unknown>, "state" | "error"> | null;
}

/** The platform is away: it comes back. */
const isAway = (error: unknown): boolean => error instanceof Problem && (error.status === 0 || error.status >= 500);

/** The platform is heard again: what it could not take is sent at once. */
function useSaveOnReturn(save: () => Promise<boolean>, kept: Unsaved): void {
  const heard = useLive() === "connected";
  useEffect(() => {
    if (heard && kept.current?.state === "failed" && isAway(kept.current.error)) void save();
  }, [heard, save, kept]);
}

/** Takes up what the platform has: at first, and when somebody else saved while nothing is unsaved here. */
function useAdoption<Thing extends Source, Definition extends object>(
  { thing, editable, adopted }: Pick<DraftOf<Thing, Definition>, "thing" | "editable" | "adopted">,
  kept: { current: KeptOf<Definition> | null },
  setShown: (kept: KeptOf<Definition> | null) => void,
): void {
  const { kind, id, name } = useMe();
  // As the platform calls who saved: one's own other window is no surprise.
  const me = kind === "operator" ? `operator:${name}` : id;
  useEffect(() => {
    const definition = thing && editable(thing);
    if (!thing || !definition) return;
    const revision = thing.revision ?? 0;
    const now = kept.current;
    if (now && (now.state !== "saved" || revision < now.revision)) return;
    if (now && revision === now.revision && sameJson(now.definition, definition)) return;
    if (now && (thing.draftBy ?? thing.versions[0]?.by) !== me && !sameJson(now.definition, definition))
      saidDone(adopted);
    kept.current = { definition, revision, state: "saved", error: null, theirs: null };
    setShown(kept.current);
  }, [thing, editable, adopted, kept, setShown, me]);
}

/** Whoever leaves the page: the browser asks, and what is unsaved is saved on the way to another page of the panel. */
function useLastSave(save: () => Promise<boolean>, kept: Unsaved): void {
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

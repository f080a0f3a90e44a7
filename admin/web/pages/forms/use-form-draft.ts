/** A form while somebody writes it. */
import { useCallback, useRef } from "react";
import { type SavedDraft, useSavedDraft } from "../../parts/use-saved-draft.ts";
import { texts } from "../../texts.ts";
import { type Definition, editable, type Form, formPath } from "./definition.ts";

export interface FormDraft extends SavedDraft<Definition> {
  /** Something is typed that cannot be read: the draft does not have it, and is not published over it. */
  isHeldBack: () => boolean;
  /** Holds it back until what it returns is called: an effect of the field that cannot be read. */
  holdBack: () => () => void;
}

export function useFormDraft(client: string, form: Form, mayWrite: boolean): FormDraft | null {
  const draft = useSavedDraft({
    thing: form,
    path: formPath(client, form.id),
    mayWrite,
    editable,
    adopted: texts.forms.adopted,
  });
  // Whoever clicks right out of the field asks before anything is drawn again.
  const holders = useRef(0);
  const isHeldBack = useCallback(() => holders.current > 0, []);
  const holdBack = useCallback(() => {
    holders.current++;
    return () => {
      holders.current--;
    };
  }, []);
  return draft && { ...draft, isHeldBack, holdBack };
}

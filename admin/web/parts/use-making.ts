import { useSearchParams } from "wouter";

/** Whether the dialog that makes something is open. An address with `?new` opens it, so that a link leads to the dialog and not only to its page. */
export function useMaking(): [making: boolean, change: { open: () => void; close: () => void }] {
  const [search, setSearch] = useSearchParams();
  const set = (open: boolean) =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        if (open) next.set("new", "");
        else next.delete("new");
        return next;
      },
      { replace: true },
    );
  return [search.has("new"), { open: () => set(true), close: () => set(false) }];
}

/** The address of a page with that dialog open. */
export const making = (page: string): string => `${page}?new`;

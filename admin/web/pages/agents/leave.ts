/** Going elsewhere in the panel while something is not saved: it is saved first, and only when that fails is there a question. */
import { useEffect } from "react";
import { useLocation, useRouter } from "wouter";
import { askFirst } from "../../parts/ask.tsx";
import { texts } from "../../texts.ts";
import type { Draft } from "./use-draft.ts";

export function useLeaving(draft: Pick<Draft, "state" | "save"> | null): void {
  const [, go] = useLocation();
  const { base } = useRouter();
  useEffect(() => {
    if (!draft || draft.state === "saved") return;
    const hear = (event: MouseEvent) => {
      const link = (event.target as Element | null)?.closest?.("a[href]");
      if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
      if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
      const url = new URL(link.href);
      if (url.origin !== document.location.origin || url.pathname === document.location.pathname) return;
      if (!url.pathname.startsWith(`${base}/`)) return;
      event.preventDefault();
      event.stopPropagation();
      void leave(draft, () => go(url.pathname.slice(base.length) + url.search));
    };
    document.addEventListener("click", hear, true);
    return () => document.removeEventListener("click", hear, true);
  }, [draft, base, go]);
}

async function leave(draft: Pick<Draft, "save">, go: () => void): Promise<void> {
  const { title, text, yes } = texts.agents.state.leave;
  if ((await draft.save()) || (await askFirst({ title, text, yes, danger: true }))) go();
}

import { type Query, QueryClient } from "@tanstack/react-query";

/** What pages know, kept between them. The live stream says when to look again; a window that comes back looks too. */
export const queries = new QueryClient({
  defaultOptions: {
    // Our own server's addresses: the browser's idea of being online says nothing about them.
    queries: { staleTime: 15_000, refetchOnWindowFocus: true, networkMode: "always" },
    mutations: { networkMode: "always" },
  },
});

const askedOnceMore = new WeakSet<Query>();

/**
 * Something changed: asks anew for what is shown and fits. What is on its way already may have been read before the change, and
 * TanStack leaves a first answer alone, so each of those is asked for once more when it has come.
 */
export function lookAgain(fits: (query: Query) => boolean): void {
  const asking = queries.getQueryCache().findAll({ predicate: fits, fetchStatus: "fetching" });
  void queries.invalidateQueries({ predicate: fits }, { cancelRefetch: false });
  for (const query of asking) {
    if (askedOnceMore.has(query)) continue;
    askedOnceMore.add(query);
    const come = () => {
      askedOnceMore.delete(query);
      void queries.invalidateQueries({ queryKey: query.queryKey, exact: true }, { cancelRefetch: false });
    };
    void query.promise?.then(come, come);
  }
}

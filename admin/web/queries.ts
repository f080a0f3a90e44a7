import { QueryClient } from "@tanstack/react-query";

/** What pages know, kept between them. The live stream says when to look again; a window that comes back looks too. */
export const queries = new QueryClient({
  defaultOptions: {
    // Our own server's addresses: the browser's idea of being online says nothing about them.
    queries: { staleTime: 15_000, refetchOnWindowFocus: true, networkMode: "always" },
    mutations: { networkMode: "always" },
  },
});

/** Who is signed in, what they may, and which client the page is about. */
import { createContext, type ReactNode, useContext } from "react";
import { useLocation, useParams } from "wouter";
import type { Me } from "../api/session-views.ts";
import type { Action } from "../rights.ts";
import { Problem, useGet } from "./api.ts";
import { inClient } from "./api-path.ts";

export type { Me };

const MeContext = createContext<Me | null>(null);

export const MeProvider = ({ me, children }: { me: Me; children: ReactNode }) => (
  <MeContext value={me}>{children}</MeContext>
);

/** Who is signed in. Only below the shell; public pages have nobody. */
export function useMe(): Me {
  const me = useContext(MeContext);
  if (!me) throw new Error("useMe outside of the shell");
  return me;
}

/** Whether the signed-in one may do it here; what they may not is not shown. */
export const useMay = (action: Action): boolean => useMe().rights.includes(action);

/** The client that the page is about: the address's, else one's own; null for an operator outside of clients. */
export function useClient(): string | null {
  const me = useMe();
  const [location] = useLocation();
  const named = /^\/c\/([^/]+)/.exec(location)?.[1];
  return named === undefined ? (me.client?.id ?? null) : decoded(named);
}

/** The client of a page that stands inside one. */
export function useThisClient(): string {
  const client = useClient();
  if (client === null) throw new Error("this page stands inside a client");
  return client;
}

/** A part of the address, decoded; empty when it is not there. */
export function useParam(name: string): string {
  return decoded(useParams<Record<string, string | undefined>>()[name] ?? "");
}

function decoded(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw; // not encoded by us: a percent sign typed into the address
  }
}

/** The name of the client that the page is about, as soon as it is known. */
export function useClientTitle(): string | null {
  const me = useMe();
  const client = useClient();
  const own = me.client?.id === client;
  const { data } = useGet<{ title: string }>("clients", client && !own && me.client === null ? inClient(client) : null);
  return own ? (me.client?.title ?? null) : (data?.title ?? client);
}

/** Whether an operator looks at the address of a client that is not there any more. */
export function useClientIsGone(): boolean {
  const client = useClient();
  const asks = useMe().client === null && client !== null;
  const { error } = useGet("clients", asks ? inClient(client) : null);
  return asks && error instanceof Problem && error.status === 404;
}

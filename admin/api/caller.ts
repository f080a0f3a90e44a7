/** Who makes a request. */
import type { Asker, Role } from "../rights.ts";

export interface Caller extends Asker {
  kind: "operator" | "person";
  /** The operator's id, or the person's Matrix user id. */
  id: string;
  name: string;
  role: Role;
  tenantId: string | null;
  /** Of the browser's session; null for a token. */
  sessionId: string | null;
  /** Of the API token; null for a browser. */
  token: { id: string; name: string } | null;
  scopes: readonly string[] | null;
}

/** How a caller is called in rows that also hold Matrix user ids. */
export const byline = (caller: Caller): string => (caller.kind === "operator" ? `operator:${caller.name}` : caller.id);

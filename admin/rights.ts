/** Who may do what: the one table, and the one place where it is asked. Pure. */

export const ROLES = ["operator", "owner", "manager", "auditor", "member"] as const;
export type Role = (typeof ROLES)[number];

const OPERATOR = ["operator"] as const;
const OWNERS = ["operator", "owner"] as const;
const MANAGERS = ["operator", "owner", "manager"] as const;
const READERS = ["operator", "owner", "manager", "auditor"] as const;
const EVERYBODY = ROLES;

/** Action → the roles that may. An operator's right holds in every client, all others in the caller's own client only. */
export const RIGHTS = {
  /** Clients: the list of all, new ones, and their homeservers. */
  "clients.list": OPERATOR,
  "clients.create": OPERATOR,
  "clients.read": EVERYBODY,
  "clients.update": OPERATOR,
  "clients.control": OPERATOR,
  "clients.log": OPERATOR,
  "clients.remove": OPERATOR,
  "operators.read": OPERATOR,
  "operators.write": OPERATOR,
  "people.read": READERS,
  "people.write": MANAGERS,
  "roles.write": OWNERS,
  "invites.read": READERS,
  "invites.write": MANAGERS,
  "teams.read": EVERYBODY,
  "teams.write": MANAGERS,
  "agents.read": EVERYBODY,
  /** Instructions and drafts. */
  "agents.read_definition": READERS,
  "agents.write": MANAGERS,
  "agents.try": MANAGERS,
  "templates.read": EVERYBODY,
  "models.read": READERS,
  "models.write": MANAGERS,
  /** The operator's own models, for all clients. */
  "models.write_shared": OPERATOR,
  /** Files, mail and search settings, forms, approvals and what tools did. */
  "tools.read": READERS,
  "tools.write": MANAGERS,
  /** People see what they may decide, and what their own runs wait for. */
  "approvals.read": EVERYBODY,
  /** What is put to oneself, and in rooms with the power level for it. */
  "approvals.decide": EVERYBODY,
  "approvals.decide_all": MANAGERS,
  /** Members: their own. */
  "schedules.read": EVERYBODY,
  "schedules.write": EVERYBODY,
  /** Members see the forms that they can fill in, and what they filled in themselves. */
  "forms.read": EVERYBODY,
  "forms.fill": EVERYBODY,
  "forms.write": MANAGERS,
  /** What one asked oneself. */
  "runs.read_own": EVERYBODY,
  "runs.read": READERS,
  "runs.control": MANAGERS,
  "usage.read": READERS,
  "caps.write": OPERATOR,
  "audit.read": ["operator", "owner", "auditor"],
  "audit.read_all": OPERATOR,
} as const satisfies Record<string, readonly Role[]>;

/** About nobody's data: the same for all, so everybody with the right may, although no client is named. */
const COMMON: readonly string[] = ["templates.read"] satisfies (keyof typeof RIGHTS)[];

export type Action = keyof typeof RIGHTS;
export const ACTIONS = Object.keys(RIGHTS) as Action[];

export const isAction = (text: string): text is Action => Object.hasOwn(RIGHTS, text);

/** Whether a role may do it in its place: an operator anywhere, everybody else in their own client. */
export const roleMay = (role: Role, action: Action): boolean => (RIGHTS[action] as readonly Role[]).includes(role);

/** Who asks: an operator, or a person of one client, perhaps through a token that may less. */
export interface Asker {
  role: Role;
  /** The client a person belongs to; null for operators. */
  tenantId: string | null;
  /** Actions of an API token; null for a browser's session. */
  scopes: readonly string[] | null;
}

/**
 * The one decision. `tenantId` is the client that it is about; null for what belongs to the platform. `elsewhere`: not a client of
 * theirs, which they are not told exists; `not_allowed`: theirs, but not with this role or token.
 */
export function decide(asker: Asker, action: Action, tenantId: string | null): "allow" | "elsewhere" | "not_allowed" {
  if (asker.role !== "operator" && tenantId !== null && tenantId !== asker.tenantId) return "elsewhere";
  if (asker.role !== "operator" && tenantId === null && !COMMON.includes(action)) return "not_allowed";
  if (!roleMay(asker.role, action)) return "not_allowed";
  return asker.scopes === null || asker.scopes.includes(action) ? "allow" : "not_allowed";
}

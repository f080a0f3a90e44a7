/** The audit log: who changed what, on whose behalf, before and after. */
import type { Context } from "../core/context.ts";
import type { audit } from "../migrations/panel-tables.ts";

type Row = typeof audit.$inferInsert;

export interface Actor {
  kind: Row["actorKind"];
  id: string;
  name: string;
  /** Whose token it was, when a program acted. */
  onBehalfOf?: string | null;
}

export interface Change {
  actor: Actor;
  tenantId: string | null;
  action: string;
  target: { kind: string; id: string; name?: string | null | undefined };
  before?: unknown;
  after?: unknown;
  address?: string | null;
}

/**
 * Writes the line of a change before it is made; a line that stays `open` was cut off by a crash. Returns what ends it:
 * `done` with what is known then, `failed` for a fault of ours, `dropped` when it was refused and nothing happened.
 */
export async function beginAudit(ctx: Context, change: Change) {
  const [row] = await ctx.sql<{ seq: string }[]>`
    insert into audit (at, tenant_id, actor_kind, actor_id, actor_name, on_behalf_of, action, target_kind, target_id, target_name, after, address)
    values (${new Date(ctx.clock.now())}, ${change.tenantId}, ${change.actor.kind}, ${change.actor.id}, ${change.actor.name},
      ${change.actor.onBehalfOf ?? null}, ${change.action}, ${change.target.kind}, ${change.target.id},
      ${change.target.name ?? null}, ${json(change.after)}::text::jsonb, ${change.address ?? null})
    returning seq`;
  const seq = row?.seq ?? "0";
  return {
    async done(
      known: Partial<Pick<Change, "actor" | "tenantId" | "action" | "target" | "before" | "after">>,
    ): Promise<void> {
      const { actor, target } = { ...change, ...known };
      const tenantId = known.tenantId === undefined ? change.tenantId : known.tenantId;
      const after = "after" in known ? known.after : change.after;
      await ctx.sql`
        update audit set outcome = 'done', action = ${known.action ?? change.action}, tenant_id = ${tenantId}, actor_kind = ${actor.kind}, actor_id = ${actor.id},
          actor_name = ${actor.name}, on_behalf_of = ${actor.onBehalfOf ?? null}, target_kind = ${target.kind},
          target_id = ${target.id}, target_name = ${target.name ?? null}, before = ${json(known.before)}::text::jsonb,
          after = ${json(after)}::text::jsonb
        where seq = ${seq}`;
    },
    async failed(): Promise<void> {
      await ctx.sql`update audit set outcome = 'failed' where seq = ${seq}`;
    },
    async dropped(): Promise<void> {
      await ctx.sql`delete from audit where seq = ${seq}`;
    },
  };
}

/** A change that was made already, in one line: for the command line and for what is not a request. */
export async function writeAudit(ctx: Context, change: Change): Promise<void> {
  const line = await beginAudit(ctx, change);
  await line.done({ before: change.before, after: change.after });
}

const SECRET = /pass(word|phrase)?$|token|secret|apikey|api_key|^key$|^code$|totp|recovery|csv/i;
const MOST_TEXT = 20_000;

/** What may stand in the log: secrets by name left out, long texts cut, pictures not at all. */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return value.length > MOST_TEXT ? `${value.slice(0, MOST_TEXT)} … (cut)` : value;
  if (typeof value !== "object" || value === null) return value;
  if (depth > 8) return "…";
  if (Array.isArray(value)) return value.slice(0, 200).map((item) => withoutSecrets(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      typeof item === "string" && SECRET.test(name) ? "(not kept)" : withoutSecrets(item, depth + 1),
    ]),
  );
}

const json = (value: unknown): string | null =>
  value === undefined || value === null ? null : JSON.stringify(withoutSecrets(value));

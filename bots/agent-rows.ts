/** The rows of agents: what everything that changes one of them shares. */
import { and, eq, ne, sql as raw } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import type { Database } from "../core/database.ts";
import { AppError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import { agents } from "../migrations/schema.ts";
import type { AgentDefinition } from "../migrations/types.ts";
import { agentLocalpart } from "./agent-names.ts";

export type AgentRow = typeof agents.$inferSelect;
export type Transaction = Parameters<Parameters<Database["transaction"]>[0]>[0];

/** Throws `not_found`. */
export async function readAgent(ctx: Pick<Context, "db">, id: string): Promise<AgentRow> {
  const [row] = await ctx.db.select().from(agents).where(eq(agents.id, id));
  if (!row) throw new AppError("not_found", "There is no such agent.");
  return row;
}

/** The row, held until the transaction ends. Throws `not_found` for one that is removed or another tenant's. */
export async function lockAgent(tx: Transaction, tenantId: string, id: string): Promise<AgentRow> {
  const [row] = await tx
    .select()
    .from(agents)
    .where(and(eq(agents.id, id), eq(agents.tenantId, tenantId)))
    .for("update");
  if (!row || row.state === "removing" || row.state === "removed")
    throw new AppError("not_found", "There is no such agent any more.");
  return row;
}

/**
 * A new row under the first user id that is free for its name. `also` is written in the same transaction. Throws `conflict` when the name
 * is taken.
 */
export async function insertAgent(
  ctx: Context,
  serverName: string,
  values: Pick<AgentRow, "tenantId" | "definition"> & Partial<AgentRow>,
  also: (tx: Transaction, row: AgentRow) => Promise<void>,
): Promise<AgentRow> {
  const id = newId();
  const { name } = values.definition;
  for (let n = 1; ; n++) {
    const userId = `@${agentLocalpart(name, n, id)}:${serverName}`;
    const row = await ctx.db.transaction(async (tx) => {
      const [made] = await tx
        .insert(agents)
        .values({ ...values, id, name, userId, deviceId: "AGENTOPIA" })
        .onConflictDoNothing({ target: [agents.tenantId, agents.userId] })
        .returning()
        .catch((error: unknown) => {
          throw nameTaken(error, name);
        });
      if (made) await also(tx, made);
      return made;
    });
    if (row) return row;
  }
}

/** Throws `conflict` when another agent of the tenant has the name. */
export async function nameIsFree(tx: Transaction, { tenantId, id }: AgentRow, name: string): Promise<void> {
  const others = await tx
    .select({ id: agents.id })
    .from(agents)
    .where(
      and(
        eq(agents.tenantId, tenantId),
        ne(agents.state, "removed"),
        raw`lower(${agents.name}) = lower(${name})`,
        ne(agents.id, id),
      ),
    );
  if (others.length > 0) throw taken(name);
}

export const taken = (name: string) =>
  new AppError("conflict", `There is an agent called ${name} already. Choose another name, or remove that one first.`);

/** Unique violation (23505) of the name's index; anything else stays what it is. */
export function nameTaken(error: unknown, name: string): unknown {
  const { code, constraint_name } = ((error as { cause?: unknown }).cause ?? error) as {
    code?: string;
    constraint_name?: string;
  };
  return code === "23505" && constraint_name === "agents_name" ? taken(name) : error;
}

/** The name itself where it is free, else "Writer 2", "Writer 3", …, no longer than a name may be. */
export async function freeName(ctx: Context, tenantId: string, name: string): Promise<string> {
  const stem = name.replace(/ ([2-9]|[1-9]\d{1,3})$/, "");
  const rows = await ctx.db
    .select({ name: raw<string>`lower(${agents.name})` })
    .from(agents)
    .where(
      and(
        eq(agents.tenantId, tenantId),
        ne(agents.state, "removed"),
        raw`starts_with(lower(${agents.name}), lower(${[...stem].slice(0, 50).join("")}))`,
      ),
    );
  const used = new Set(rows.map((row) => row.name));
  // Postgres and JavaScript may differ on small letters of other scripts; the unique index has the last word.
  if (!used.has(name.toLowerCase())) return name;
  for (let n = 2; ; n++) {
    const ending = ` ${n}`;
    const next = `${[...stem]
      .slice(0, 60 - ending.length)
      .join("")
      .trimEnd()}${ending}`;
    if (!used.has(next.toLowerCase())) return next;
  }
}

/** What an agent looks like to those who write it: the definition that is published, or the draft of one that never was. */
export const definitionOf = (row: Pick<AgentRow, "state" | "draft" | "definition">): AgentDefinition =>
  row.state === "draft" ? (row.draft ?? row.definition) : row.definition;

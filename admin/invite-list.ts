/** Invite links as pages, with who came by them. */
import type { Context } from "../core/context.ts";
import type { TenantRole } from "../migrations/types.ts";
import { type InviteState, inviteState } from "./invites.ts";

export interface ListedInvite {
  id: string;
  team: { id: string; name: string } | null;
  state: InviteState;
  uses: number;
  maxUses: number;
  username: string | null;
  displayName: string | null;
  role: TenantRole;
  createdBy: string | null;
  /** The newest of the accounts that it made. */
  usedBy: { userId: string; name: string | null }[];
  createdAt: number;
  expiresAt: number;
  /** Microseconds since 1970: what the list is sorted by. */
  at: number;
}

interface Row extends Omit<ListedInvite, "team" | "state" | "role" | "usedBy"> {
  teamId: string | null;
  teamName: string | null;
  role: TenantRole | null;
  revokedAt: number | null;
}

/** How many of those who came are named in the list; the rest stands in the link's own list. */
const SHOWN = 5;

export interface InvitesQuery {
  /** `open`: they make accounts now. `over`: they do not any more. */
  state?: "open" | "over" | undefined;
  after: readonly [at: number, id: string] | null;
  limit: number;
}

/** A client's links, newest first; one more than the limit where there are more. */
export async function pageInvites(ctx: Context, tenantId: string, query: InvitesQuery): Promise<ListedInvite[]> {
  const { sql } = ctx;
  const now = new Date(ctx.clock.now());
  const open = sql`(i.revoked_at is null and i.expires_at > ${now} and i.uses < i.max_uses)`;
  const rows = await sql<Row[]>`
    select i.id, i.uses, i.max_uses as "maxUses", i.username, i.display_name as "displayName", i.role, coalesce(maker.display_name, i.created_by) as "createdBy",
      t.id as "teamId", t.name as "teamName", (extract(epoch from i.created_at) * 1000000)::float8 as at,
      extract(epoch from i.created_at)::float8 * 1000 as "createdAt", extract(epoch from i.expires_at)::float8 * 1000 as "expiresAt",
      extract(epoch from i.revoked_at)::float8 * 1000 as "revokedAt"
    from (
      -- The page first, then what belongs to it.
      select * from invites i where i.tenant_id = ${tenantId}
        ${query.state === undefined ? sql`` : query.state === "open" ? sql`and ${open}` : sql`and not ${open}`}
        ${query.after ? sql`and (i.created_at, i.id) < (to_timestamp(${query.after[0]}::float8 / 1000000), ${query.after[1]})` : sql``}
      order by i.created_at desc, i.id desc limit ${query.limit + 1}) i
      left join teams t on t.id = i.team_id
      left join people maker on maker.tenant_id = i.tenant_id and maker.user_id = i.created_by
    order by i.created_at desc, i.id desc`;
  const people = await newestOf(
    ctx,
    rows.map(({ id }) => id),
  );
  return rows.map(({ teamId, teamName, revokedAt, role, ...row }) => ({
    ...row,
    team: teamId === null ? null : { id: teamId, name: teamName ?? "" },
    role: role ?? "member",
    state: stateOfRow({ ...row, revokedAt }, ctx.clock.now()),
    usedBy: people.get(row.id) ?? [],
  }));
}

const stateOfRow = (row: Pick<Row, "uses" | "maxUses" | "expiresAt" | "revokedAt">, now: number): InviteState =>
  inviteState(
    {
      uses: row.uses,
      maxUses: row.maxUses,
      expiresAt: new Date(row.expiresAt),
      revokedAt: row.revokedAt === null ? null : new Date(row.revokedAt),
    },
    now,
  );

async function newestOf(ctx: Context, ids: string[]): Promise<Map<string, ListedInvite["usedBy"]>> {
  if (ids.length === 0) return new Map();
  const rows = await ctx.sql<{ inviteId: string; userId: string; name: string | null }[]>`
    select u.invite_id as "inviteId", u.user_id as "userId", p.display_name as name
    from unnest(${ids}::text[]) as wanted(id)
      cross join lateral (
        select invite_id, user_id from invite_uses where invite_id = wanted.id and state = 'made' order by created_at desc limit ${SHOWN}
      ) u
      join invites i on i.id = u.invite_id
      left join people p on p.tenant_id = i.tenant_id and p.user_id = u.user_id`;
  const grouped = Map.groupBy(rows, ({ inviteId }) => inviteId);
  return new Map([...grouped].map(([id, users]) => [id, users.map(({ userId, name }) => ({ userId, name }))]));
}

export interface InviteUse {
  userId: string;
  name: string | null;
  username: string;
  usedAt: number;
}

/** Who came by a link, by user name; one more than the limit where there are more. */
export async function pageInviteUses(
  ctx: Context,
  what: { tenantId: string; inviteId: string; after: string; limit: number },
): Promise<InviteUse[]> {
  return await ctx.sql<InviteUse[]>`
    select u.user_id as "userId", u.username, p.display_name as name, extract(epoch from u.created_at)::float8 * 1000 as "usedAt"
    from invite_uses u join invites i on i.id = u.invite_id and i.tenant_id = ${what.tenantId}
      left join people p on p.tenant_id = i.tenant_id and p.user_id = u.user_id
    where u.invite_id = ${what.inviteId} and u.state = 'made' and u.username > ${what.after}
    order by u.username limit ${what.limit + 1}`;
}

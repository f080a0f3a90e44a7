import { completeTeam, startTeam } from "../bots/team-making.ts";
import { teamTemplate } from "../bots/team-templates.ts";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { createTenant, getTenant, listTenants } from "../homeserver/tenants.ts";
import { createInvite } from "./invites.ts";

/** The short name of the client that is made at the very first start. */
export const DEMO = "demo";
const TEAM = "Marketing";
const ROOMS = ["general", "campaigns"];
const INVITE = { maxUses: 100, ttl: 30 * 86_400_000 };

export interface DemoDeps {
  /** Resolves when the tenant's homeserver answers. */
  ready(tenantId: string): Promise<void>;
  say(line: string): void;
}

/**
 * At the very first start, a client to try everything with: a team, two channels, three agents, an invite
 * link, which is returned. Every part is made so that a start after a crash completes it. Null when it was made before.
 */
export async function ensureDemo(ctx: Context, { ready, say }: DemoDeps): Promise<string | null> {
  if (!(await isWanted(ctx))) return null;
  say("Making the demo client …");
  await ensureTenant(ctx);
  await ready(DEMO);
  const team = (await findTeam(ctx)) ?? (await startTeam(ctx, demoTeam(), { byCaller: true }));
  await completeTeam(ctx, team.id);
  const { url } = await createInvite(ctx, { tenantId: DEMO, teamId: team.id, ...INVITE });
  await ctx.sql`update settings set value = '"made"' where key = 'demo'`;
  return url;
}

/** Of the marketing template two rooms, with its three agents in both. */
function demoTeam() {
  const { rooms, agents } = teamTemplate("marketing");
  return {
    tenantId: DEMO,
    name: TEAM,
    rooms: rooms.filter(({ name }) => ROOMS.includes(name)),
    agents: agents.map(({ templateId }) => ({ templateId, rooms: ROOMS })),
  };
}

async function findTeam(ctx: Context): Promise<{ id: string } | undefined> {
  const [row] = await ctx.sql<{ id: string }[]>`select id from teams where tenant_id = ${DEMO} and name = ${TEAM}`;
  return row;
}

/** Written once, when there is no client at all: an operator who removes the demo client does not get it again. */
async function isWanted(ctx: Context): Promise<boolean> {
  await ctx.sql`
    insert into settings (key, value)
    select 'demo', case when exists (select from tenants) then '"not wanted"'::jsonb else '"making"'::jsonb end
    on conflict do nothing`;
  const [row] = await ctx.sql<{ value: string }[]>`select value from settings where key = 'demo'`;
  return row?.value === "making";
}

async function ensureTenant(ctx: Context): Promise<void> {
  if ((await listTenants(ctx)).some(({ id }) => id === DEMO)) return;
  try {
    await createTenant(ctx, { id: DEMO, title: "Demo" });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "conflict") throw error;
    await getTenant(ctx, DEMO); // another process made it meanwhile
  }
}

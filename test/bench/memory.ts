import { processes, pssMiB, treeOf } from "./measure.ts";
import { addTenant, type Setting, TENANT } from "./setting.ts";

/** PSS of the process tree without Synapse and Postgres, in MiB. */
export function ownMiB(root: number): number {
  const all = processes();
  const other = /synapse|postgres/;
  return treeOf(root, all)
    .filter((pid) => !other.test(all.find((one) => one.pid === pid)?.command ?? ""))
    .reduce((sum, pid) => sum + pssMiB(pid), 0);
}

export interface Footprint {
  agents: number;
  /** From starting the platform, with Synapse up, until it is ready. */
  startMs: number;
  /** After the start, and after the same number of questions each. */
  afterStartMiB: number;
  afterWorkMiB: number;
}

/** Kills the platform, starts it while Synapse is up, lets it work a little, and weighs it. */
export async function measureFootprint(setting: Setting, work: () => Promise<void>): Promise<Footprint> {
  const { platform, ctx } = setting;
  await platform.kill9();
  const startMs = await platform.start();
  const afterStartMiB = ownMiB(platform.pid());
  await work();
  const [row] = await ctx.sql`select count(*)::int as agents from agents where tenant_id = ${TENANT}`;
  return { agents: Number(row?.agents), startMs, afterStartMiB, afterWorkMiB: ownMiB(platform.pid()) };
}

/** Defines agents up to `count` by copying rows: what the platform holds of them is what is measured, not how they are made. */
export async function defineAgents({ ctx }: Setting, count: number): Promise<void> {
  await ctx.sql`
    insert into agents (id, tenant_id, name, user_id, state, version, definition, device_id)
    select 'copy-' || n, tenant_id, 'Copy ' || n, '@agent-copy-' || n || substring(user_id from ':.*$'), 'active', 1,
      definition || jsonb_build_object('name', 'Copy ' || n), 'COPY' || n
    from agents, generate_series(1, ${count}::int - (select count(*)::int from agents where tenant_id = ${TENANT})) as n
    where tenant_id = ${TENANT} and name = 'Echo'`;
  await ctx.sql`
    insert into agent_versions (agent_id, version, definition) select id, version, definition from agents
    on conflict do nothing`;
}

export interface TenantCost {
  tenants: number;
  addMs: number[];
  /** Platform, all Synapses and Postgres together, for each further idle tenant. */
  idleMiB: number;
}

/** Adds tenants one by one and weighs everything before and after. */
export async function measureTenants({ platform }: Setting, count: number): Promise<TenantCost> {
  const before = everythingMiB(platform.home, platform.pid());
  const addMs: number[] = [];
  for (let n = 1; n <= count; n++) addMs.push(await addTenant(platform, `further-${n}`));
  return { tenants: count, addMs, idleMiB: (everythingMiB(platform.home, platform.pid()) - before) / count };
}

/** The platform and every process whose command names its home folder, with all below them. */
function everythingMiB(home: string, platform: number): number {
  const all = processes();
  const roots = [platform, ...all.filter(({ command }) => command.includes(home)).map(({ pid }) => pid)];
  const pids = new Set(roots.flatMap((root) => treeOf(root, all)));
  pids.delete(process.pid);
  return [...pids].reduce((sum, pid) => sum + pssMiB(pid), 0);
}

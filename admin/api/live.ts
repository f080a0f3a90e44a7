/** Tells open pages that something changed. They then ask for it anew, with the rights they have. */
import { CHANNELS, type Context } from "../../core/context.ts";
import type { Wake } from "../../core/wake.ts";
import type { Tag } from "./endpoint.ts";

export interface Change {
  /** Null: some changes may not have been heard, of any topic. */
  topic: Tag | null;
  /** The client it is about; null: the platform. */
  client: string | null;
}

export interface LiveHub {
  /** Calls `hear` with every change until the returned function is called. */
  listen(hear: (change: Change) => void): () => void;
}

/** How often runs are looked at, and only while somebody looks: the way of a message pays nothing for it. */
const LOOK_MS = 1000;

/** For changes that are made outside of requests; those in requests are told by themselves. */
export async function tellPanels(ctx: Context, topic: Tag, client: string | null): Promise<void> {
  await ctx.sql.notify(CHANNELS.panel, client === null ? topic : `${topic} ${client}`);
}

/** One for a process. */
export function openLive(ctx: Context, wake: Wake): LiveHub {
  const ears = new Set<(change: Change) => void>();
  const tell = (change: Change) => {
    for (const hear of ears) hear(change);
  };
  // Heard from the start, so that who listens later has missed nothing since; an empty payload says that something may have been.
  wake.on(CHANNELS.panel, (payload) => {
    const [topic, client] = payload.split(" ");
    tell({ topic: topic ? (topic as Tag) : null, client: client ?? null });
  });
  wake.on(CHANNELS.tenant, (client) => client && tell({ topic: "clients", client }));
  let endRuns: () => void = () => undefined;
  return {
    listen(hear) {
      if (ears.size === 0) endRuns = watchRuns(ctx, (client) => tell({ topic: "runs", client }));
      ears.add(hear);
      return () => {
        if (ears.delete(hear) && ears.size === 0) endRuns();
      };
    },
  };
}

/** Which clients' runs changed since the last look: begun since, or open then and not as they were. */
function watchRuns(ctx: Context, tell: (client: string) => void): () => void {
  let since = ctx.clock.now();
  let open = new Map<string, string>();
  let busy = false;
  const look = async () => {
    const now = ctx.clock.now();
    const begun = await ctx.sql<{ client: string }[]>`
      select distinct tenant_id as client from runs where created_at > ${new Date(since)}`;
    const rows = await ctx.sql<{ id: string; client: string; state: string }[]>`
      select id, tenant_id as client, state from runs where state in ('queued', 'running', 'waiting') order by created_at limit 5000`;
    since = now - 200; // rows of transactions that commit a little late
    const states = new Map(rows.map(({ id, client, state }) => [`${client} ${id}`, state]));
    const changed = [...new Set([...states.keys(), ...open.keys()])].filter((key) => states.get(key) !== open.get(key));
    open = states;
    const clients = new Set([...begun.map(({ client }) => client), ...changed.map((key) => key.split(" ")[0] ?? "")]);
    for (const client of clients) tell(client);
  };
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    look()
      .catch((error: unknown) => ctx.log.warn({ err: error }, "open pages were not told of runs; the next look does"))
      .finally(() => {
        busy = false;
      });
  }, LOOK_MS);
  return () => clearInterval(timer);
}

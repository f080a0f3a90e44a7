import postgres from "postgres";
import type { Context } from "../core/context.ts";

/**
 * Every process that does runs holds a slot: an advisory lock (7431, n) on a connection of its own. The slot's name is the workflow
 * engine's executor id, so whoever holds `slot-n` owns the runs begun under it. A process that dies lets go of its lock, and the
 * next one to start takes the lowest free slot, with what was left in it.
 */
export interface Slot {
  executorId: string;
  /** When this process took it; milliseconds since 1970. */
  takenAt: number;
  /** Slots of dead processes that still own workflows; each is given once, to be taken over. */
  deadSlots(): Promise<string[]>;
  release(): Promise<void>;
}

const SPACE = 7431;
const MOST = 512;

/** Takes the lowest free slot. */
export async function takeSlot(ctx: Context): Promise<Slot> {
  let number = -1;
  const sql = postgres(ctx.databaseUrl, {
    max: 1,
    onnotice: () => undefined,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: 5,
    connection: { application_name: "agentopia slot" },
    onclose: () => {
      // The lock went with the connection: take the same one again at once. Others wait longer before they call a slot dead.
      if (number >= 0)
        relock().catch((error: unknown) => ctx.log.error({ err: error }, "the slot's lock was not taken again"));
    },
  });
  const tryLock = async (n: number) => (await sql`select pg_try_advisory_lock(${SPACE}, ${n}) as got`)[0]?.got === true;

  async function relock(): Promise<void> {
    for (;;) {
      if (number < 0) return;
      try {
        if (!(await tryLock(number)))
          ctx.log.error({ slot: number }, "another process took this slot while the database was away");
        return;
      } catch (error) {
        ctx.log.warn({ err: error }, "waiting for the database to take the slot again");
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }

  let taken = 0;
  while (taken < MOST && !(await tryLock(taken))) taken++;
  number = taken;
  const executorId = `slot-${taken}`;
  const suspects = new Set<string>();

  return {
    executorId,
    takenAt: ctx.clock.now(),
    async deadSlots() {
      const owners = await sql<{ id: string }[]>`
        select distinct executor_id as id from dbos.workflow_status where status = 'PENDING' and executor_id like 'slot-%'`;
      const dead: string[] = [];
      const free = new Set<string>();
      for (const { id } of owners) {
        const n = Number(id.slice(5));
        if (id === executorId || !Number.isInteger(n) || !(await tryLock(n))) continue;
        await sql`select pg_advisory_unlock(${SPACE}, ${n})`;
        free.add(id);
        // Free twice in a row: not just a connection that was lost for a moment.
        if (suspects.has(id)) dead.push(id);
      }
      suspects.clear();
      for (const id of free) suspects.add(id);
      return dead;
    },
    async release() {
      number = -1;
      await sql.end({ timeout: 1 });
    },
  };
}

import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { AppError } from "./errors.ts";

/** Advisory lock of whoever receives events and keeps homeservers over a database. 7430 is `migrate`, 7431 the default model and the slots of workers. */
const LOCK = 7432;
/** How long the backend of a process that was just killed may take to notice. */
const PATIENCE_MS = 5000;

export interface OnlyOne {
  release(): Promise<void>;
}

/**
 * Makes this process the only receiver over an existing Postgres, where a lock on the home folder says nothing: another machine,
 * or another folder, may have the same DATABASE_URL. Throws `setup` when there is one. A lock that a restart of Postgres took from
 * us is taken again; `lost` is called when somebody else has it by then.
 */
export async function beOnlyOne(url: string, lost: (error: AppError) => void): Promise<OnlyOne> {
  let ended = false;
  const sql = postgres(url, {
    max: 1,
    onnotice: () => undefined,
    connect_timeout: 5,
    max_lifetime: null,
    backoff: (attempt) => Math.min(1, 0.05 * 2 ** attempt),
    connection: { application_name: "agentopia receiver" },
    onclose: () => {
      if (!ended && held) void again();
    },
  });
  let held = false;

  async function take(): Promise<boolean> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const [row] = await sql<{ ours: boolean }[]>`select pg_try_advisory_lock(${LOCK}) as ours`;
      if (row?.ours) return true;
      if (performance.now() > until) return false;
      await sleep(200);
    }
  }

  async function again(): Promise<void> {
    held = false;
    while (!ended && !held)
      try {
        if (!(await take())) return lost(taken(url));
        held = true;
      } catch {
        await sleep(500); // Postgres is still away
      }
  }

  held = await take();
  if (!held) {
    ended = true;
    await sql.end({ timeout: 1 });
    throw taken(url);
  }
  return {
    async release() {
      ended = true;
      await sql.end({ timeout: 1 });
    },
  };
}

const taken = (url: string) =>
  new AppError(
    "setup",
    `Another Agentopia receives for the database at ${new URL(url).host}${new URL(url).pathname} (DATABASE_URL). Stop that one, or start this as \`worker\`.`,
  );

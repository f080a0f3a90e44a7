/** An agent that is removed leaves nothing behind that waits for it, runs by itself, or is allowed to it. Twice is harmless. */
import { CHANNELS, type Context } from "../core/context.ts";
import { bringApproval } from "./approvals/post.ts";
import { withdrawOf } from "./approvals/write.ts";

type Leaving = { id: string; tenantId: string };

/** Before it leaves its rooms: what it asked there is said to be over while it can still speak. */
export async function closeWhatItHad(ctx: Context, agent: Leaving): Promise<void> {
  await endRows(ctx, agent);
  for (const approvalId of await withdrawOf(ctx, agent.id))
    await bringApproval(ctx, approvalId).catch((error: unknown) =>
      // The action that was written with it tries again.
      ctx.log.warn(
        { err: error, approval: approvalId },
        "a question of an agent that is removed is not shown as over yet",
      ),
    );
}

/** Its runs are told to end, what it would do later is not planned any more, and what it was always allowed is taken back. */
async function endRows({ sql, clock }: Context, { id, tenantId }: Leaving): Promise<void> {
  const now = new Date(clock.now());
  await sql`
    with stopped as (
      update runs set stop_reason = 'removed'
      where agent_id = ${id} and state in ('queued', 'running', 'waiting') and stop_reason is null returning id
    ), planned as (
      update schedules set state = 'removed', problem = 'The agent was removed.', next_at = null
      where agent_id = ${id} and state in ('active', 'paused')
    ), granted as (
      update grants set revoked_at = ${now} where agent_id = ${id} and revoked_at is null
    )
    select pg_notify(${CHANNELS.stop}, id) from stopped`;
  await sql`select pg_notify(${CHANNELS.panel}, ${`schedules ${tenantId}`}), pg_notify(${CHANNELS.panel}, ${`approvals ${tenantId}`})`;
}

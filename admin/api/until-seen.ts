import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../../core/context.ts";

const LOOKS = 20;
const BETWEEN_MS = 50;

/**
 * Waits a moment for the homeserver to hand back who came or went, so that the page that looks again right after the answer sees it.
 * Gives up without a word: the list is right as soon as the event is routed.
 */
export async function untilSeen(
  ctx: Context,
  who: { tenantId: string; roomId: string; userId: string; in: boolean },
): Promise<void> {
  for (let look = 0; look < LOOKS; look++) {
    const [row] = await ctx.sql<{ membership: string }[]>`
      select membership from room_members
      where tenant_id = ${who.tenantId} and room_id = ${who.roomId} and user_id = ${who.userId}`;
    if ((row?.membership === "join") === who.in) return;
    await sleep(BETWEEN_MS);
  }
}

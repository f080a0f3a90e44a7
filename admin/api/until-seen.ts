import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../../core/context.ts";

interface Who {
  tenantId: string;
  roomId: string;
  userId: string;
}

const LOOKS = 20;
const BETWEEN_MS = 50;

/**
 * Waits a moment for the homeserver to hand back who came or went, so that the page that looks again right after the answer sees it.
 * Gives up without a word: the list is right as soon as the event is routed.
 */
export const untilSeen = (ctx: Context, who: Who & { in: boolean }): Promise<void> =>
  until(async () => {
    const [row] = await ctx.sql<{ membership: string }[]>`
      select membership from room_members
      where tenant_id = ${who.tenantId} and room_id = ${who.roomId} and user_id = ${who.userId}`;
    return (row?.membership === "join") === who.in;
  });

/** The same for what they may in the room. */
export const untilModerator = (ctx: Context, who: Who & { moderator: boolean }): Promise<void> =>
  until(async () => {
    const [row] = await ctx.sql<{ level: number | null }[]>`
      select (state->'powerLevels'->'users'->>${who.userId})::float8 as level from rooms
      where tenant_id = ${who.tenantId} and room_id = ${who.roomId}`;
    return (row?.level ?? 0) >= 50 === who.moderator;
  });

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < LOOKS; look++) {
    if (await holds()) return;
    await sleep(BETWEEN_MS);
  }
}

/** A tenant with agents and a room in the test's own database, and events as a homeserver delivers them. No homeserver is needed. */

import { EMPTY_STATE } from "../../bots/room-state.ts";
import type { Context } from "../../core/context.ts";
import { receive } from "../../homeserver/inbox.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import type { AgentDefinition, RoomState, TenantLimits } from "../../migrations/types.ts";

export const SERVER = "acme.test";
export const TENANT = "acme";
export const ROOM = "!room:acme.test";
export const ALICE = "@alice:acme.test";
export const BOB = "@bob:acme.test";
export const CONTROL = "@agentopia:acme.test";
export const WRITER = "@agent-writer:acme.test";
export const PLANNER = "@agent-planner:acme.test";

export const DEFINITION: AgentDefinition = {
  name: "Writer",
  description: "Writes.",
  instructions: "Write.",
  model: null,
  whoMayInvite: "anyone",
  scope: "member",
};

/** `members` are joined; those that begin with `@agent-` get a definition of their own. */
export async function makeTenant(
  ctx: Context,
  options: {
    url?: string;
    limits?: TenantLimits;
    rooms?: { id: string; members: string[]; state?: Partial<RoomState> }[];
  } = {},
): Promise<void> {
  await createTenant(ctx, {
    id: TENANT,
    serverName: SERVER,
    driver: "external",
    url: options.url ?? "http://127.0.0.1:9",
  });
  await ctx.sql`update tenants set limits = ${JSON.stringify(options.limits ?? {})}::text::jsonb`;
  for (const userId of [WRITER, PLANNER]) await makeAgent(ctx, userId);
  for (const room of options.rooms ?? [{ id: ROOM, members: [CONTROL, ALICE, BOB, WRITER, PLANNER] }])
    await makeRoom(ctx, room);
}

export async function makeAgent(ctx: Context, userId: string, wish: Partial<AgentDefinition> = {}): Promise<string> {
  const word = userId.slice("@agent-".length, userId.indexOf(":"));
  const name = wish.name ?? `${word[0]?.toUpperCase()}${word.slice(1)}`;
  const definition = JSON.stringify({ ...DEFINITION, ...wish, name });
  await ctx.sql`insert into agents (id, tenant_id, name, user_id, state, definition, device_id)
    values (${word}, ${TENANT}, ${name}, ${userId}, 'active', ${definition}::text::jsonb, 'AGENTOPIA')`;
  return word;
}

export async function makeRoom(
  ctx: Context,
  room: { id: string; members: string[]; state?: Partial<RoomState>; kind?: string },
): Promise<void> {
  const state = {
    ...EMPTY_STATE,
    historyVisibility: "shared",
    sharedSince: 0,
    creators: [CONTROL],
    roomVersion: "12",
    ...room.state,
  };
  await ctx.sql`insert into rooms (tenant_id, room_id, kind, state)
    values (${TENANT}, ${room.id}, ${room.kind ?? "channel"}, ${JSON.stringify(state)}::text::jsonb)`;
  for (const userId of room.members)
    await ctx.sql`insert into room_members (tenant_id, room_id, user_id, membership) values (${TENANT}, ${room.id}, ${userId}, 'join')`;
}

let count = 0;

/** An event as Synapse sends it. */
export function event(wish: {
  id?: string;
  room?: string;
  sender?: string;
  type?: string;
  stateKey?: string;
  content: Record<string, unknown>;
  redacts?: string;
  ts?: number;
}): { event_id: string } & Record<string, unknown> {
  return {
    event_id: wish.id ?? `$e${++count}`,
    room_id: wish.room ?? ROOM,
    sender: wish.sender ?? ALICE,
    type: wish.type ?? "m.room.message",
    origin_server_ts: wish.ts ?? Date.now(),
    content: wish.content,
    ...(wish.stateKey === undefined ? {} : { state_key: wish.stateKey }),
    ...(wish.redacts === undefined ? {} : { redacts: wish.redacts }),
  };
}

/** A text that mentions these users. */
export const says = (body: string, ...mentions: string[]) => ({
  msgtype: "m.text",
  body,
  "m.mentions": mentions.length > 0 ? { user_ids: mentions } : {},
});

export const edit = (of: string, body: string, ...mentions: string[]) => ({
  ...says(`* ${body}`),
  "m.new_content": says(body, ...mentions),
  "m.relates_to": { rel_type: "m.replace", event_id: of },
});

export const reaction = (to: string, key: string) => ({
  "m.relates_to": { rel_type: "m.annotation", event_id: to, key },
});

export const deliver = (ctx: Context, ...events: unknown[]) => receive(ctx, TENANT, events);

export const outcomes = async (ctx: Context, room = ROOM): Promise<Record<string, string | null>> =>
  Object.fromEntries(
    (
      await ctx.sql<{ id: string; outcome: string | null }[]>`
        select event_id as id, outcome from inbox where room_id = ${room} order by seq`
    ).map(({ id, outcome }) => [id, outcome]),
  );

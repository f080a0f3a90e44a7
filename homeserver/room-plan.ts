/** What the rooms look like that we make. Pure. */
import type { PowerLevelsEventContent } from "matrix-bot-sdk";
import type { TenantAccess } from "./access.ts";

type Json = Record<string, unknown>;

export interface RoomPlan {
  /** Local part of the room's alias: by it a room is found that was made before a crash. */
  aliasName: string;
  createRoom: Json;
  /** State that must be there, whoever made it: by type, state key "" unless given. */
  state: { type: string; stateKey: string; content: Json }[];
}

export interface RoomWish {
  access: Pick<TenantAccess, "controlUserId" | "serverName">;
  kind: "space" | "channel";
  name: string;
  /** What nobody vouches for and an agent had read who named it so: kept with the name, for agents who are told it. */
  untrusted?: string | null;
  aliasName: string;
  topic?: string | undefined;
  /** The space of a channel. */
  space?: string;
  /** People of other servers can be invited. Fixed when it is made. */
  federated?: boolean;
}

/**
 * The body of createRoom (client-server API), with all of its state spelt out, so that a half-made room can be completed.
 * Never trusted_private_chat: in room version 12 that makes creators of those who are invited.
 */
export function roomPlan(wish: RoomWish): RoomPlan {
  const { access, kind, name, untrusted, aliasName, topic, space, federated = false } = wish;
  const named = untrusted ? { name, "dev.agentopia.untrusted": untrusted } : { name };
  const state = [
    { type: "m.room.name", stateKey: "", content: named },
    { type: "m.room.join_rules", stateKey: "", content: joinRules(space) },
    { type: "m.room.history_visibility", stateKey: "", content: { history_visibility: "shared" } },
    { type: "m.room.guest_access", stateKey: "", content: { guest_access: "forbidden" } },
    // The control bot, and only it: Element then takes a person and an agent for a direct chat (MSC4171).
    { type: "io.element.functional_members", stateKey: "", content: { service_members: [access.controlUserId] } },
    // None to be seen: the alias is ours, for finding the room again.
    { type: "m.room.canonical_alias", stateKey: "", content: {} },
    ...(topic ? [{ type: "m.room.topic", stateKey: "", content: { topic } }] : []),
    ...(space
      ? [{ type: "m.space.parent", stateKey: space, content: { via: [access.serverName], canonical: true } }]
      : []),
  ];
  const power = desiredPowerLevels({ kind, now: null, users: {}, controlUserId: access.controlUserId });
  return {
    aliasName,
    state: [...state, { type: "m.room.power_levels", stateKey: "", content: power }],
    createRoom: {
      preset: "private_chat",
      visibility: "private",
      // Its creators outrank everybody and stand in no list: what desiredPowerLevels counts on.
      room_version: "12",
      room_alias_name: aliasName,
      creation_content: { "m.federate": federated, ...(kind === "space" ? { type: "m.space" } : {}) },
      power_level_content_override: power,
      initial_state: state.map(({ type, stateKey, content }) => ({ type, state_key: stateKey, content })),
    },
  };
}

function joinRules(space: string | undefined): Json {
  if (!space) return { join_rule: "invite" };
  return { join_rule: "restricted", allow: [{ type: "m.room_membership", room_id: space }] };
}

/**
 * The whole power level event of a room that we made. `now` is what stands there: levels of people in it stay, as far as they are
 * below what guards these rules; those of agents become `users`. Everything else is ours, since an event here replaces whole maps.
 * In an archived room the control bot alone, which made it, may post and change anything; others may still take back what they said.
 */
export function desiredPowerLevels({
  kind,
  now,
  users,
  controlUserId,
  archived = false,
}: {
  kind: "space" | "channel";
  now: Json | null;
  users: Record<string, number>;
  controlUserId: string;
  archived?: boolean;
}): PowerLevelsEventContent & Json {
  const levels: Record<string, number> = {};
  const before = now?.users;
  if (typeof before === "object" && before !== null)
    for (const [userId, level] of Object.entries(before))
      if (typeof level === "number" && !isAgent(userId) && userId !== controlUserId)
        levels[userId] = Math.min(level, 99);
  // A creator must not be named in room version 12, and who has the default needs no line.
  for (const [userId, level] of Object.entries(users))
    if (userId !== controlUserId) {
      if (level === 0) delete levels[userId];
      else levels[userId] = level;
    }
  const events = archived ? CLOSED_EVENTS : EVENTS;
  return {
    users: levels,
    users_default: 0,
    events,
    events_default: archived ? CLOSED : kind === "space" ? 50 : 0,
    state_default: archived ? CLOSED : 50,
    invite: archived ? CLOSED : kind === "space" ? 50 : 0,
    kick: 50,
    ban: 50,
    redact: 50,
    notifications: { room: 50 },
  };
}

/** Above everybody: levels of people end at 99, agents have less. */
const CLOSED = 100;

const EVENTS = {
  "m.room.name": 50,
  "m.room.topic": 50,
  "m.room.avatar": 50,
  "m.room.canonical_alias": 50,
  "m.room.pinned_events": 50,
  "m.space.child": 50,
  "m.room.power_levels": 100,
  "m.room.history_visibility": 100,
  "m.room.join_rules": 100,
  "m.room.guest_access": 100,
  "m.room.server_acl": 100,
  "m.room.encryption": 100,
  "m.room.tombstone": 150,
  "m.space.parent": 100,
  "io.element.functional_members": 100,
};

const CLOSED_EVENTS = {
  ...Object.fromEntries(Object.entries(EVENTS).map(([type, level]) => [type, Math.max(level, CLOSED)])),
  "m.room.redaction": 0,
};

const isAgent = (userId: string) => userId.startsWith("@agent-");

/** Same JSON, whatever the order of keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length || Array.isArray(a) !== Array.isArray(b)) return false;
  return keys.every((key) => key in b && sameJson((a as Json)[key], (b as Json)[key]));
}

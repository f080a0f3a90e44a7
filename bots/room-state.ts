/** What routing knows of a room's state (spec: client-server API, "room state"), and how a state event changes it. Pure. */
import type { RoomState } from "../migrations/types.ts";
import { object, text } from "./message.ts";

export interface StateEvent {
  type: string;
  stateKey: string;
  sender: string;
  content: Record<string, unknown>;
}

/** Levels where a room has no m.room.power_levels (spec: the defaults differ from those of missing keys). */
const NO_LEVELS: RoomState["powerLevels"] = {
  users: {},
  usersDefault: 0,
  events: {},
  eventsDefault: 0,
  stateDefault: 0,
  redact: 50,
  kick: 50,
  ban: 50,
  invite: 0,
};

export const EMPTY_STATE: RoomState = {
  name: null,
  topic: null,
  encrypted: false,
  // The safest guess: newcomers see nothing from before.
  historyVisibility: "joined",
  sharedSince: null,
  creators: [],
  roomVersion: "1",
  powerLevels: NO_LEVELS,
  functionalMembers: [],
  federated: true,
};

/** All of a room's state events folded into one. `seq`: inbox position since which open history is taken to be open. */
export function roomStateOf(events: StateEvent[], seq: number): RoomState {
  const state = events.reduce((so_far, event) => applyState(so_far, event, seq), EMPTY_STATE);
  if (events.some((event) => event.type === "m.room.history_visibility")) return state;
  // Spec: without the event, history is shared.
  return { ...state, historyVisibility: "shared", sharedSince: seq };
}

/** The room's state after an event; the same object when the event says nothing that matters here. */
export function applyState(state: RoomState, event: StateEvent, seq: number): RoomState {
  const { content } = event;
  switch (event.type) {
    case "m.room.name":
      return { ...state, name: text(content.name) || null, named: namedBy(event) };
    case "m.room.topic":
      return { ...state, topic: text(content.topic) || null };
    case "m.room.encryption":
      return text(content.algorithm) ? { ...state, encrypted: true } : state;
    case "m.room.history_visibility":
      return withVisibility(state, text(content.history_visibility), seq);
    case "m.room.power_levels":
      return { ...state, powerLevels: readPowerLevels(content) };
    case "io.element.functional_members":
      return { ...state, functionalMembers: texts(content.service_members) };
    case "m.room.create":
      return withCreation(state, event);
    default:
      return state;
  }
}

/** Power of a user in the room; creators of rooms of version 12 and later are above everybody. */
export function powerOf(state: RoomState, userId: string): number {
  if (creatorsRule(state.roomVersion) && state.creators.includes(userId)) return Number.POSITIVE_INFINITY;
  return state.powerLevels.users[userId] ?? state.powerLevels.usersDefault;
}

/** True when newcomers see what was said before they came. */
export const isOpen = (visibility: RoomState["historyVisibility"]): boolean =>
  visibility === "shared" || visibility === "world_readable";

const namedBy = ({ sender, content }: StateEvent): NonNullable<RoomState["named"]> => ({
  by: sender,
  untrusted: text(content["dev.agentopia.untrusted"]) || null,
});

function withVisibility(state: RoomState, value: string | null, seq: number): RoomState {
  if (value !== "world_readable" && value !== "shared" && value !== "invited" && value !== "joined") return state;
  const sharedSince = isOpen(value) ? (state.sharedSince ?? seq) : null;
  return { ...state, historyVisibility: value, sharedSince };
}

function withCreation(state: RoomState, { content, sender }: StateEvent): RoomState {
  const creator = text(content.creator) ?? sender;
  const users = state.powerLevels === NO_LEVELS ? { [creator]: 100 } : state.powerLevels.users;
  return {
    ...state,
    roomVersion: text(content.room_version) ?? "1",
    creators: [creator, ...texts(content.additional_creators)],
    federated: content["m.federate"] !== false,
    powerLevels: { ...state.powerLevels, users },
  };
}

const creatorsRule = (version: string) => Number(version) >= 12 || version.startsWith("org.matrix.hydra");

function readPowerLevels(content: Record<string, unknown>): RoomState["powerLevels"] {
  return {
    users: levels(content.users),
    usersDefault: level(content.users_default) ?? 0,
    events: levels(content.events),
    eventsDefault: level(content.events_default) ?? 0,
    stateDefault: level(content.state_default) ?? 50,
    redact: level(content.redact) ?? 50,
    kick: level(content.kick) ?? 50,
    ban: level(content.ban) ?? 50,
    invite: level(content.invite) ?? 0,
  };
}

/** Rooms before version 10 may hold levels as strings. */
function level(value: unknown): number | null {
  const number = typeof value === "string" ? Number(value.trim() || Number.NaN) : value;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : null;
}

const levels = (value: unknown): Record<string, number> =>
  Object.fromEntries(
    Object.entries(object(value)).flatMap(([key, item]) => (level(item) === null ? [] : [[key, level(item) ?? 0]])),
  );

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

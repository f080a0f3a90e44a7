/** An event as the inbox stores it. */
export interface CleanEvent {
  event_id: string;
  room_id: string;
  sender: string;
  type: string;
  state_key: string | null;
  /** The sender's clock, in milliseconds. */
  ts: number;
  content: Record<string, unknown>;
  redacts: string | null;
}

/**
 * Takes out of an event what the inbox keeps, in a form that Postgres takes, or says as a sentence why it cannot. `now` stands in
 * for a timestamp that is none. Client-server API, "Room event format"; `redacts` moved into the content with room version 11.
 */
export function cleanEvent(event: unknown, now: number): CleanEvent | string {
  if (!isObject(event)) return "it is not an object";
  const { event_id, room_id, sender, type, state_key, origin_server_ts, content } = event;
  for (const [name, value] of Object.entries({ event_id, room_id, sender, type }))
    if (typeof value !== "string" || value === "" || value.length > 1024 || value.includes("\0"))
      return `its ${name} is not usable`;
  if (!isObject(content)) return "its content is not an object";
  if (state_key !== undefined && typeof state_key !== "string") return "its state_key is not a text";
  const redacts = event.redacts ?? content.redacts;
  return {
    event_id: storable(event_id as string),
    room_id: storable(room_id as string),
    sender: storable(sender as string),
    type: storable(type as string),
    state_key: state_key === undefined ? null : storable(state_key),
    ts: Number.isSafeInteger(origin_server_ts) ? (origin_server_ts as number) : now,
    content: storableValue(content, 0) as Record<string, unknown>,
    redacts: typeof redacts === "string" && type === "m.room.redaction" ? storable(redacts) : null,
  };
}

const MAX_DEPTH = 200;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Postgres takes neither NUL nor half a surrogate pair in a text: both become U+FFFD. */
function storable(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed();
  return whole.includes("\0") ? whole.replaceAll("\0", "\ufffd") : whole;
}

function storableValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return storable(value);
  if (typeof value !== "object" || value === null) return value;
  // Deeper than anything that means something: what is below would only serve to exhaust our stack or the database's.
  if (depth > MAX_DEPTH) return null;
  if (Array.isArray(value)) return value.map((item) => storableValue(item, depth + 1));
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) out[storable(key)] = storableValue(item, depth + 1);
  return out;
}

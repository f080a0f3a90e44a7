import {
  ClientEvent,
  createClient,
  type ICreateClientOpts,
  type MatrixClient,
  type MatrixEvent,
  SyncState,
} from "matrix-js-sdk";
import { type Logger, logger } from "matrix-js-sdk/lib/logger.js";
import { type Answer, answersTo, type Content, type RoomEvent } from "./answers.ts";

/** A person at a Matrix client: matrix-js-sdk, the code that Element Web runs. */
export interface Person {
  userId: string;
  homeserverUrl: string;
  accessToken: string;
  client: MatrixClient;
  /** What `/sync` brought, in order, as it was when it came. */
  seen: RoomEvent[];
  seenIn(roomId: string): RoomEvent[];
  /** Id of the joined room with that name; waits for it. */
  room(name: string): Promise<string>;
  /** Makes a room of the person's own and waits for the invited to have joined when `joined` is set. */
  makeRoom(options: { name?: string; invite?: string[]; isDirect?: boolean; joined?: boolean }): Promise<string>;
  send(roomId: string, content: Content, type?: string): Promise<string>;
  say(roomId: string, text: string): Promise<string>;
  /** Mentions an agent as Element does: a pill in the text and `m.mentions`. */
  ask(roomId: string, agentId: string, text: string, relation?: Content["m.relates_to"]): Promise<string>;
  edit(roomId: string, eventId: string, text: string, mentions?: string[]): Promise<string>;
  react(roomId: string, eventId: string, key: string): Promise<string>;
  redact(roomId: string, eventId: string): Promise<string>;
  /** The finished messages that answer a question, once there are `count`. */
  answers(question: string, options?: { count?: number; timeoutMs?: number }): Promise<Answer[]>;
  answer(question: string, timeoutMs?: number): Promise<Answer>;
  /** Waits until something in what was seen is there, looking at each event that comes. Rejects with what was seen last. */
  until<T>(what: string, look: (seen: RoomEvent[]) => T | undefined | false, timeoutMs?: number): Promise<T>;
  /** Every event of a room from the homeserver itself, oldest first: for counting, where a gap in `/sync` would lie. */
  history(roomId: string): Promise<RoomEvent[]>;
  /** One event as the homeserver has it. */
  event(roomId: string, eventId: string): Promise<RoomEvent>;
  leave(): void;
}

const silent: Logger = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  getChild: () => silent,
};

// Parts of the library go past the logger that a client is given, to its own (loglevel), which writes to the console.
const own = logger as unknown as { methodFactory: () => () => void; rebuild(): void };
own.methodFactory = () => () => undefined;
own.rebuild();

/** Signs in with a password, as any client does, and begins to sync. */
export async function signIn(homeserverUrl: string, username: string, password: string): Promise<Person> {
  const options: ICreateClientOpts = { baseUrl: homeserverUrl, logger: silent, localTimeoutMs: 60_000 };
  const login = await createClient(options).loginRequest({
    type: "m.login.password",
    identifier: { type: "m.id.user", user: username },
    password,
    initial_device_display_name: "test",
  });
  const { access_token: accessToken, user_id: userId, device_id: deviceId } = login;
  const client = createClient({ ...options, accessToken, userId, deviceId });
  const seen: RoomEvent[] = [];
  const listeners = new Set<() => void>();
  client.on(ClientEvent.Event, (event: MatrixEvent) => {
    if (!event.getRoomId()) return;
    seen.push(structuredClone({ ...event.event, room_id: event.getRoomId() }) as RoomEvent);
    for (const listener of [...listeners]) listener();
  });
  const person = actions({ client, userId, homeserverUrl, accessToken, seen, listeners });
  await started(client);
  return person;
}

async function started(client: MatrixClient): Promise<void> {
  const ready = new Promise<void>((resolve) => {
    client.on(ClientEvent.Sync, (state) => {
      if (state === SyncState.Prepared) resolve();
    });
  });
  await client.startClient({ initialSyncLimit: 50, pollTimeout: 20_000 });
  await ready;
}

interface Inside extends Pick<Person, "client" | "userId" | "homeserverUrl" | "accessToken" | "seen"> {
  listeners: Set<() => void>;
}

function actions(inside: Inside): Person {
  const { client, seen } = inside;
  const until: Person["until"] = (what, look, timeoutMs = 20_000) => untilSeen(inside, what, look, timeoutMs);
  const send: Person["send"] = async (roomId, content, type = "m.room.message") => {
    const sent = await client.sendEvent(roomId, type as never, content as never);
    return sent.event_id;
  };
  const answers: Person["answers"] = (question, { count = 1, timeoutMs = 30_000 } = {}) =>
    until(
      `${count} finished answer(s) to ${question}`,
      (events) => {
        const found = answersTo(events, question).filter((answer) => answer.final);
        return found.length >= count && found;
      },
      timeoutMs,
    );
  return {
    ...inside,
    seenIn: (roomId) => seen.filter((event) => event.room_id === roomId),
    room: (name) =>
      until(`to be in a room named ${name}`, () =>
        client
          .getRooms()
          .find((room) => room.name === name && room.getMyMembership() === "join" && !room.isSpaceRoom()),
      ).then((room) => room.roomId),
    makeRoom: (options) => makeRoom(client, until, options),
    send,
    say: (roomId, body) => send(roomId, { msgtype: "m.text", body }),
    ask: (roomId, agentId, text, relation) => send(roomId, question(agentId, text, relation)),
    edit: (roomId, eventId, text, mentions = []) => send(roomId, correction(eventId, text, mentions)),
    react: (roomId, event_id, key) =>
      send(roomId, { "m.relates_to": { rel_type: "m.annotation", event_id, key } }, "m.reaction"),
    redact: async (roomId, eventId) => (await client.redactEvent(roomId, eventId)).event_id,
    answers,
    answer: async (id, timeoutMs = 30_000) => (await answers(id, { timeoutMs }))[0] as Answer,
    until,
    history: (roomId) => history(inside, roomId),
    event: (roomId, eventId) => client.fetchRoomEvent(roomId, eventId) as Promise<RoomEvent>,
    leave: () => client.stopClient(),
  };
}

function question(agentId: string, text: string, relation: Content["m.relates_to"]): Content {
  const name = agentId.slice(1).split(":")[0] ?? "";
  return {
    msgtype: "m.text",
    body: `${name}: ${text}`,
    format: "org.matrix.custom.html",
    formatted_body: `<a href="https://matrix.to/#/${agentId}">${name}</a>: ${text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`)}`,
    "m.mentions": { user_ids: [agentId] },
    ...(relation ? { "m.relates_to": relation } : {}),
  };
}

function correction(eventId: string, text: string, mentions: string[]): Content {
  const shown = { msgtype: "m.text", body: text, "m.mentions": { user_ids: mentions } };
  return {
    ...shown,
    body: `* ${text}`,
    "m.mentions": {},
    "m.new_content": shown,
    "m.relates_to": { rel_type: "m.replace", event_id: eventId },
  };
}

async function makeRoom(
  client: MatrixClient,
  until: Person["until"],
  options: Parameters<Person["makeRoom"]>[0],
): Promise<string> {
  const { name, invite = [], isDirect = false, joined = true } = options;
  const { room_id } = await client.createRoom({
    ...(name ? { name } : {}),
    preset: (isDirect ? "trusted_private_chat" : "private_chat") as never,
    invite,
    is_direct: isDirect,
  });
  const isIn = (userId: string) => (event: RoomEvent) =>
    event.room_id === room_id && event.state_key === userId && event.content.membership === "join";
  if (joined)
    await until(`${invite.join(", ")} to join ${name ?? room_id}`, (seen) => invite.every((id) => seen.some(isIn(id))));
  return room_id;
}

function untilSeen<T>(
  { seen, listeners, client }: Inside,
  what: string,
  look: (seen: RoomEvent[]) => T | undefined | false,
  timeoutMs: number,
): Promise<T> {
  const now = look(seen);
  if (now) return Promise.resolve(now);
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      listeners.delete(check);
      client.off(ClientEvent.Room, check);
      client.off(ClientEvent.Sync, check);
    };
    const check = () => {
      const found = look(seen);
      if (!found) return;
      end();
      resolve(found);
    };
    const timer = setTimeout(() => {
      end();
      const last = seen
        .slice(-6)
        .map((event) => `${event.sender} ${event.type} ${JSON.stringify(event.content).slice(0, 160)}`);
      reject(new Error(`${client.getUserId()} waited ${timeoutMs} ms for ${what}. Seen last:\n${last.join("\n")}`));
    }, timeoutMs);
    listeners.add(check);
    client.on(ClientEvent.Room, check);
    client.on(ClientEvent.Sync, check);
  });
}

async function history({ homeserverUrl, accessToken }: Inside, roomId: string): Promise<RoomEvent[]> {
  const events: RoomEvent[] = [];
  const path = `${homeserverUrl}/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=500`;
  for (let from = ""; ; ) {
    const response = await fetch(`${path}${from && `&from=${from}`}`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    if (!response.ok) throw new Error(`/messages answered ${response.status}: ${await response.text()}`);
    const page = (await response.json()) as { chunk: RoomEvent[]; end?: string };
    events.push(...page.chunk);
    if (!page.end || page.chunk.length === 0) return events.reverse();
    from = encodeURIComponent(page.end);
  }
}

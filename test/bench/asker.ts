import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";

/** A person who asks and watches `/sync`, without a client library around it: only the servers' time is measured. */
export interface Asker {
  userId: string;
  /** Asks `agentId` and resolves when an event in this person's `/sync` holds the answer's text. */
  ask(roomId: string, agentId: string, marker: string, directive?: string): Promise<Asked>;
  react(roomId: string, eventId: string, key: string): Promise<void>;
  joinedRooms(): Promise<string[]>;
  createRoom(body: object): Promise<string>;
  waitForMember(roomId: string, userId: string): Promise<void>;
  /** Every event seen in a room since the asker began to watch. */
  seen(roomId: string): SyncEvent[];
  /** Resolves when `condition` holds, looking again at each event. */
  until(condition: () => boolean, what: string): Promise<void>;
  stop(): void;
}

export interface Asked {
  eventId: string;
  /** From before the question was sent until the model's text was in `/sync`. */
  firstVisibleMs: number;
}

export interface SyncEvent {
  event_id: string;
  sender: string;
  type: string;
  state_key?: string;
  content: { body?: string; membership?: string; "dev.agentopia.run"?: { question: string; final: boolean } };
  /** performance.now() when the response that holds it was read. */
  at: number;
}

interface Room {
  timeline: { events: SyncEvent[] };
  state?: { events: SyncEvent[] };
}

/** Signs in and starts the `/sync` loop. */
export async function startAsker(homeserverUrl: string, username: string, password: string): Promise<Asker> {
  const connections = new Agent({
    connections: 64,
    pipelining: 1,
    keepAliveTimeout: 60_000,
    bodyTimeout: 0,
    headersTimeout: 0,
  });
  let token = "";
  async function api<T>(method: "GET" | "PUT" | "POST", path: string, body?: object): Promise<T> {
    const response = await request(`${homeserverUrl}/_matrix/client/v3${path}`, {
      method,
      dispatcher: connections,
      headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), "content-type": "application/json" },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.body.text();
    if (response.statusCode !== 200) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
    return JSON.parse(text) as T;
  }
  const login = await api<{ access_token: string; user_id: string }>("POST", "/login", {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: username },
    password,
  });
  token = login.access_token;

  const seen = new Map<string, SyncEvent[]>();
  const listeners = new Set<(roomId: string, event: SyncEvent) => void>();
  const state = { stopped: false, since: "" };
  const take = (rooms: Record<string, Room>) => {
    const at = performance.now();
    for (const [roomId, { state: before, timeline }] of Object.entries(rooms))
      for (const event of [...(before?.events ?? []), ...timeline.events]) {
        const list = seen.get(roomId) ?? [];
        seen.set(roomId, list);
        list.push({ ...event, at });
        for (const listener of [...listeners]) listener(roomId, { ...event, at });
      }
  };
  const sync = async () => {
    const since = state.since ? `&since=${encodeURIComponent(state.since)}` : "";
    const page = await api<{ next_batch: string; rooms?: { join?: Record<string, Room> } }>(
      "GET",
      `/sync?timeout=${state.since ? 30_000 : 0}${since}&filter=${encodeURIComponent('{"room":{"timeline":{"limit":100}}}')}`,
    );
    state.since = page.next_batch;
    take(page.rooms?.join ?? {});
  };
  const loop = async () => {
    while (!state.stopped)
      try {
        await sync();
      } catch {
        await sleep(200); // the homeserver is being restarted; clients go on trying
      }
  };
  void loop();

  const wait = <T>(what: string, look: (roomId: string, event: SyncEvent) => T | undefined, timeoutMs = 60_000) =>
    new Promise<T>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${login.user_id} waited ${timeoutMs} ms for ${what}.`)),
        timeoutMs,
      );
      const listener = (roomId: string, event: SyncEvent) => {
        const found = look(roomId, event);
        if (found === undefined) return;
        clearTimeout(timer);
        listeners.delete(listener);
        resolve(found);
      };
      listeners.add(listener);
    });

  return {
    userId: login.user_id,
    seen: (roomId) => seen.get(roomId) ?? [],
    joinedRooms: async () => (await api<{ joined_rooms: string[] }>("GET", "/joined_rooms")).joined_rooms,
    createRoom: async (body) => (await api<{ room_id: string }>("POST", "/createRoom", body)).room_id,
    async waitForMember(roomId, userId) {
      const joined = (event: SyncEvent) => event.state_key === userId && event.content.membership === "join";
      if (seen.get(roomId)?.some(joined)) return;
      await wait(`${userId} in ${roomId}`, (id, event) => (id === roomId && joined(event) ? true : undefined));
    },
    async ask(roomId, agentId, marker, directive = "") {
      const text = `Answer to ${marker}`;
      const visible = wait(text, (id, event) =>
        id === roomId && event.sender === agentId && event.content.body?.startsWith(text) ? event.at : undefined,
      );
      const began = performance.now();
      const [sent, at] = await Promise.all([
        api<{ event_id: string }>(
          "PUT",
          `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${encodeURIComponent(marker)}-${Math.random()}`,
          {
            msgtype: "m.text",
            body: `${marker} ${directive}`,
            "m.mentions": { user_ids: [agentId] },
          },
        ),
        visible,
      ]);
      return { eventId: sent.event_id, firstVisibleMs: at - began };
    },
    async react(roomId, eventId, key) {
      const content = { "m.relates_to": { rel_type: "m.annotation", event_id: eventId, key } };
      await api("PUT", `/rooms/${encodeURIComponent(roomId)}/send/m.reaction/${Math.random()}`, content);
    },
    async until(condition, what) {
      if (!condition()) await wait(what, () => (condition() ? true : undefined));
    },
    stop() {
      state.stopped = true;
      void connections.destroy();
    },
  };
}

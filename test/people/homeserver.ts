/** A homeserver that knows accounts only, over real HTTP: what invites and the panel's people ask of Synapse, with faults on demand. */
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { onTestFinished } from "vitest";
import type { Context } from "../../core/context.ts";
import { createTenant, tenantAccess } from "../../homeserver/tenants.ts";

interface Body {
  nonce?: string;
  username?: string;
  password?: string;
  mac?: string;
  identifier?: { user: string };
  user_id?: string;
  displayname?: string;
  suspend?: boolean;
  erase?: boolean;
  locked?: boolean;
  new_password?: string;
  devices?: string[];
}

/** What the admin API says of a person beside the password. */
export interface FakePerson {
  displayname: string;
  deactivated: boolean;
  erased: boolean;
  locked: boolean;
  suspended: boolean;
  admin: boolean;
  creation_ts: number;
  last_seen_ts: number | null;
  devices: { device_id: string; display_name: string; last_seen_ts: number; last_seen_ip: string }[];
}

const fresh = (displayname: string): FakePerson => ({
  displayname,
  deactivated: false,
  erased: false,
  locked: false,
  suspended: false,
  admin: false,
  creation_ts: 1_780_000_000,
  last_seen_ts: null,
  devices: [],
});

export interface AccountServer {
  url: string;
  /** Password by user name. */
  accounts: Map<string, string>;
  /** What is known of them besides. Filled for every account; others may be put in (`agent-writer`). */
  people: Map<string, FakePerson>;
  /** Calls of the admin API, as `GET /_synapse/…` without the query. */
  calls: string[];
  /** Called before a person is suspended, deactivated or given a password. */
  beforeChange: (username: string) => Promise<void> | void;
  /** An account as if a person had made it long ago. */
  add(username: string, more?: Partial<FakePerson>): void;
  /** Room ids that each user was joined to. */
  joined: Map<string, string[]>;
  /** Called before an account is made. */
  beforeMaking: (username: string) => Promise<void> | void;
  /** `lost`: the account is made and the connection breaks before the answer. `refuse`: Synapse does not take the name. */
  fault: "none" | "lost" | "refuse" | "joins fail" | "changes fail";
  close(): Promise<void>;
  open(): Promise<void>;
}

export async function startAccountServer(secretOf: () => Promise<string>): Promise<AccountServer> {
  let server: Server;
  let port = 0;
  const nonces = new Set<string>();
  const self: AccountServer = {
    url: "",
    accounts: new Map(),
    people: new Map(),
    calls: [],
    beforeChange: () => undefined,
    add(username, more = {}) {
      self.accounts.set(username, `${username}-has-a-Password-1`);
      self.people.set(username, { ...fresh(username), ...more });
    },
    joined: new Map(),
    beforeMaking: () => undefined,
    fault: "none",
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
    async open() {
      server = createServer((request, response) => void handle(request, response));
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
      port = (server.address() as { port: number }).port;
      self.url = `http://127.0.0.1:${port}`;
    },
  };
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = chunks.length > 0 ? (JSON.parse(Buffer.concat(chunks).toString()) as Body) : {};
    const answer = await answerTo(request.method ?? "", decodeURIComponent(request.url ?? ""), body);
    if (!answer) return void request.socket.destroy();
    response.writeHead(answer[0], { "content-type": "application/json" }).end(JSON.stringify(answer[1]));
  }
  async function answerTo(method: string, url: string, body: Body): Promise<[number, unknown] | null> {
    if (url.startsWith("/_synapse/admin/")) self.calls.push(`${method} ${url.split("?")[0]}`);
    const [, action, name = ""] =
      /^\/_synapse\/admin\/v[12]\/(users|suspend|deactivate|reset_password)\/@([^:/]+):[^/]+/.exec(url) ?? [];
    if (action)
      return person(method, action === "users" ? `users${url.split(":acme.test")[1] ?? ""}` : action, name, body);
    if (url.startsWith("/_synapse/admin/v2/users?")) return list(new URL(url, "http://x").searchParams);
    if (url.startsWith("/_synapse/admin/v1/register")) return method === "GET" ? nonce() : register(body);
    if (url === "/_matrix/client/v3/login") return login(body);
    if (url === "/_matrix/client/v3/logout") return [200, {}];
    const profile = /^\/_matrix\/client\/v3\/profile\/@([^:]+):/.exec(url)?.[1];
    if (profile) return self.accounts.has(profile) ? [200, { displayname: profile }] : missing;
    const room = /^\/_synapse\/admin\/v1\/join\/(.+)$/.exec(url)?.[1];
    if (room) return join(room, String(body.user_id));
    return missing;
  }
  function nonce(): [number, unknown] {
    const made = randomUUID();
    nonces.add(made);
    return [200, { nonce: made }];
  }
  async function register(body: Body): Promise<[number, unknown] | null> {
    const { nonce: given = "", username = "", password = "", mac } = body;
    const expected = createHmac("sha1", await secretOf())
      .update([given, username, password, "notadmin"].join("\0"))
      .digest("hex");
    if (!nonces.delete(given) || mac !== expected) return [403, { errcode: "M_UNKNOWN", error: "HMAC incorrect" }];
    await self.beforeMaking(username);
    if (self.fault === "refuse") return [400, { errcode: "M_INVALID_USERNAME", error: "no" }];
    if (self.accounts.has(username)) return [400, { errcode: "M_USER_IN_USE", error: "User ID already taken." }];
    self.accounts.set(username, password);
    self.people.set(username, fresh(body.displayname ?? username));
    return self.fault === "lost" ? null : [200, { user_id: `@${username}:acme.test` }];
  }
  function list(query: URLSearchParams): [number, unknown] {
    const [from, limit] = [Number(query.get("from")), Number(query.get("limit"))];
    const all = [...self.people].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const users = all.slice(from, from + limit).map(([name, facts]) => {
      // As Synapse: the list says nothing of suspensions, and gives the creation in milliseconds.
      const { suspended: _, devices: __, creation_ts, ...rest } = facts;
      return { name: `@${name}:acme.test`, ...rest, creation_ts: creation_ts * 1000 };
    });
    const next = from + limit < all.length ? { next_token: String(from + users.length) } : {};
    return [200, { users, total: all.length, ...next }];
  }
  async function person(method: string, what: string, name: string, body: Body): Promise<[number, unknown] | null> {
    const facts = self.people.get(name);
    if (!facts) return missing;
    if (method !== "GET") {
      await self.beforeChange(name);
      if (self.fault === "changes fail") return [500, { errcode: "M_UNKNOWN", error: "broken" }];
    }
    const answer = change(method, what, name, facts, body);
    return self.fault === "lost" && method !== "GET" ? null : answer;
  }
  function change(method: string, what: string, name: string, facts: FakePerson, body: Body): [number, unknown] {
    const { devices, ...rest } = facts;
    if (what === "users" && method === "PUT") Object.assign(facts, body);
    else if (what === "users") return [200, { name: `@${name}:acme.test`, ...rest }];
    else if (what === "users/devices") return [200, { devices, total: devices.length }];
    else if (what === "users/delete_devices")
      facts.devices = devices.filter(({ device_id }) => !body.devices?.includes(device_id));
    else if (what === "users/joined_rooms") return [200, { joined_rooms: self.joined.get(userId(name)) ?? [] }];
    else if (what === "suspend") facts.suspended = body.suspend === true;
    else if (what === "deactivate") Object.assign(facts, { deactivated: true, erased: body.erase, devices: [] });
    else if (what === "reset_password") {
      self.accounts.set(name, body.new_password ?? "");
      facts.devices = [];
    } else return missing;
    return [200, {}];
  }
  function login(body: Body): [number, unknown] {
    const right = self.accounts.get(body.identifier?.user ?? "") === body.password;
    return right ? [200, { access_token: "token" }] : [403, { errcode: "M_FORBIDDEN", error: "Invalid password" }];
  }
  function join(roomId: string, userId: string): [number, unknown] | null {
    if (self.fault === "joins fail") return null;
    self.joined.set(userId, [...(self.joined.get(userId) ?? []), roomId]);
    return [200, { room_id: roomId }];
  }
  await self.open();
  return self;
}

const missing: [number, unknown] = [404, { errcode: "M_NOT_FOUND", error: "Not found" }];

export const TENANT = "acme";

/** A tenant "acme" with the team Sales (a space, two rooms) on an account server of the test's own. */
export async function tenantWithTeam(ctx: Context, title = "Acme Ltd"): Promise<AccountServer> {
  const secret = async () => (await tenantAccess(ctx, TENANT)).registrationSharedSecret;
  const server = await startAccountServer(secret);
  onTestFinished(() => server.close());
  await createTenant(ctx, { id: TENANT, title, serverName: "acme.test", driver: "external", url: server.url });
  await ctx.sql`insert into teams (id, tenant_id, name, space_room_id) values ('team', ${TENANT}, 'Sales', '!space:acme.test')`;
  for (const [roomId, kind] of [
    ["!space:acme.test", "space"],
    ["!general:acme.test", "channel"],
    ["!deals:acme.test", "channel"],
  ])
    await ctx.sql`insert into rooms (tenant_id, room_id, team_id, kind) values (${TENANT}, ${roomId!}, 'team', ${kind!})`;
  return server;
}

/** Synapse's own name for a user of it. */
export const userId = (username: string) => `@${username}:acme.test`;

import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createPerson, registerAgentUser } from "../../homeserver/accounts.ts";
import { call } from "../../homeserver/http.ts";
import {
  downloadMedia,
  joinRoom,
  putState,
  readState,
  readStateEvent,
  sendEvent,
  uploadMedia,
} from "../../homeserver/matrix.ts";
import {
  addPersonToTeam,
  createChannel,
  createTeam,
  inviteAgentToRoom,
  putAgentPowerLevels,
  SCOPE_LEVEL,
} from "../../homeserver/rooms.ts";
import { createTenant, getTenant, tenantAccess } from "../../homeserver/tenants.ts";
import { type Caller, signIn, startWorld, uniqueTenant, type World } from "./world.ts";

let world: World;
let failed = false;
const tenantId = uniqueTenant();
const open = uniqueTenant();
let control: string;
let ann: Caller;
let bob: Caller;
let agent: string;
let teamId: string;
let space: string;
let general: string;

beforeAll(async () => {
  world = await startWorld();
  const { ctx } = world;
  await createTenant(ctx, { id: tenantId, config: { rateLimits: "off" } });
  await createTenant(ctx, { id: open, config: { rateLimits: "off", readableRooms: false } });
  await world.supervisor.ready(tenantId);
  control = (await tenantAccess(ctx, tenantId)).controlUserId;
  const { homeserverUrl } = await getTenant(ctx, tenantId);
  for (const username of ["ann", "bob"]) await createPerson(ctx, { tenantId, username, password: "correct horse" });
  ann = await signIn(homeserverUrl, "ann", "correct horse");
  bob = await signIn(homeserverUrl, "bob", "correct horse");
  agent = await registerAgentUser(ctx, { tenantId, localpart: "agent-x", displayName: "X", deviceId: "ONE" });
  const team = await createTeam(ctx, { tenantId, name: "Märketing & Co", channels: ["general", "campaigns"] });
  teamId = team.id;
  space = team.spaceRoomId ?? "";
  const [row] = await ctx.sql<{ room_id: string }[]>`select room_id from rooms where channel = 'general'`;
  general = row?.room_id ?? "";
  await addPersonToTeam(ctx, { tenantId, teamId, userId: ann.userId });
}, 120_000);

beforeEach(({ task, onTestFinished }) => {
  onTestFinished(() => {
    failed ||= task.result?.state === "fail";
  });
});

afterAll(() => world?.end(failed, "homeserver-rooms"), 60_000);

const room = (roomId: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}`;
const stateOf = async (roomId: string) => {
  const events = await readState(world.ctx, { tenantId, as: control, roomId });
  return Object.fromEntries(events.filter((one) => one.state_key === "").map((one) => [one.type, one.content]));
};

describe("teams and channels", { timeout: 60_000 }, () => {
  test("a team is a space, its channels are rooms in it: private, internal, with the control bot as functional member", async () => {
    const inSpace = await stateOf(space);
    expect(inSpace["m.room.create"]).toMatchObject({ type: "m.space", "m.federate": false, room_version: "12" });
    expect(inSpace["m.room.join_rules"]).toEqual({ join_rule: "invite" });
    const inRoom = await stateOf(general);
    expect(inRoom["m.room.create"]).toMatchObject({ "m.federate": false });
    expect(inRoom["m.room.join_rules"]).toEqual({
      join_rule: "restricted",
      allow: [{ type: "m.room_membership", room_id: space }],
    });
    expect(inRoom["m.room.history_visibility"]).toEqual({ history_visibility: "shared" });
    expect(inRoom["m.room.guest_access"]).toEqual({ guest_access: "forbidden" });
    expect(inRoom["io.element.functional_members"]).toEqual({ service_members: [control] });
    expect(inRoom["m.room.power_levels"]).toMatchObject({ users: {}, events_default: 0, invite: 0 });
    expect(inRoom["m.room.encryption"]).toBeUndefined();
    const server = (await getTenant(world.ctx, tenantId)).serverName;
    const where = { tenantId, as: control };
    const child = await readStateEvent(world.ctx, {
      ...where,
      roomId: space,
      type: "m.space.child",
      stateKey: general,
    });
    expect(child).toMatchObject({ via: [server] });
    const parent = await readStateEvent(world.ctx, {
      ...where,
      roomId: general,
      type: "m.space.parent",
      stateKey: space,
    });
    expect(parent).toEqual({ via: [server], canonical: true });
  });

  test("the same team again makes no second one, and completes what a crash left undone", async () => {
    const { ctx } = world;
    await putState(ctx, {
      tenantId,
      as: control,
      roomId: space,
      type: "m.space.child",
      stateKey: general,
      content: {},
    });
    await ctx.sql`update teams set space_room_id = null`;
    await ctx.sql`delete from rooms where channel is not null or kind = 'space'`;
    const again = await createTeam(ctx, { tenantId, name: "Märketing & Co", channels: ["general", "campaigns"] });
    expect(again).toMatchObject({ id: teamId, spaceRoomId: space });
    expect(await createChannel(ctx, { tenantId, teamId, name: "general" })).toBe(general);
    const joined = await call<{ joined_rooms: string[] }>(ctx, tenantId, {
      method: "GET",
      path: "/_matrix/client/v3/joined_rooms",
    });
    expect(joined.joined_rooms).toHaveLength(4); // space, two channels, the control bot's own
    const where = { tenantId, as: control, roomId: space };
    expect(await readStateEvent(ctx, { ...where, type: "m.space.child", stateKey: general })).toMatchObject({
      suggested: true,
    });
  });

  test("who is in the team may join its channels, who is not may not", async () => {
    const { ctx } = world;
    const late = await createChannel(ctx, { tenantId, teamId, name: "late", topic: "Made after ann came" });
    expect((await ann.call("POST", `${room(late)}/join`, {})).status).toBe(200);
    expect((await bob.call("POST", `${room(late)}/join`, {})).json.errcode).toBe("M_FORBIDDEN");
    await addPersonToTeam(ctx, { tenantId, teamId, userId: ann.userId });
    await addPersonToTeam(ctx, { tenantId, teamId, userId: bob.userId, moderator: true });
    await bob.say(late, "in");
    expect((await stateOf(late))["m.room.power_levels"]).toMatchObject({ users: { [bob.userId]: 50 } });
  });

  test("an agent's scope is what the homeserver enforces, put right when someone changed it", async () => {
    const { ctx } = world;
    await inviteAgentToRoom(ctx, { tenantId, roomId: general, userId: agent });
    await inviteAgentToRoom(ctx, { tenantId, roomId: general, userId: agent });
    const as = { tenantId, as: agent, roomId: general };
    await joinRoom(ctx, as);
    const say = (txnId: string) =>
      sendEvent(ctx, {
        ...as,
        txnId,
        deviceId: "ONE",
        type: "m.room.message",
        content: { msgtype: "m.text", body: txnId },
      });
    const scope = (level: number) => putAgentPowerLevels(ctx, { tenantId, roomId: general, users: { [agent]: level } });
    expect(await scope(SCOPE_LEVEL.observer)).toBe(true);
    await expect(say("as observer")).rejects.toMatchObject({ code: "homeserver_refused" });
    expect(await scope(SCOPE_LEVEL.member)).toBe(true);
    expect(await say("as member")).toMatch(/^\$/);
    const rename = { type: "m.room.topic", stateKey: "", content: { topic: "by the agent" } };
    await expect(putState(ctx, { ...as, ...rename })).rejects.toMatchObject({ code: "homeserver_refused" });
    expect(await scope(SCOPE_LEVEL.moderator)).toBe(true);
    await putState(ctx, { ...as, ...rename });
    expect(await scope(SCOPE_LEVEL.moderator)).toBe(false);
    const levels = (await stateOf(general))["m.room.power_levels"] as { users: Record<string, number> };
    const content = { ...levels, users: { ...levels.users, [agent]: 100 } };
    await putState(ctx, { tenantId, as: control, roomId: general, type: "m.room.power_levels", stateKey: "", content });
    expect(await scope(SCOPE_LEVEL.moderator)).toBe(true);
    expect((await stateOf(general))["m.room.power_levels"]).toMatchObject({ users: { [agent]: 50, [bob.userId]: 50 } });
  });

  test("power levels of rooms that people made are not touched", async () => {
    const made = await ann.call("POST", "/_matrix/client/v3/createRoom", { preset: "private_chat" });
    const roomId = made.json.room_id as string;
    const touched = putAgentPowerLevels(world.ctx, { tenantId, roomId, users: {} });
    await expect(touched).rejects.toMatchObject({ code: "forbidden" });
  });

  test("files: stored, read again, refused when too large", async () => {
    const { ctx } = world;
    const bytes = Buffer.from("a file of some bytes");
    const mxc = await uploadMedia(ctx, { tenantId, as: agent, bytes, contentType: "text/plain", filename: "a.txt" });
    const file = await downloadMedia(ctx, { tenantId, as: agent, mxc, maxBytes: 100 });
    expect(Buffer.from(file.bytes).toString()).toBe("a file of some bytes");
    expect(file.contentType).toMatch("text/plain");
    await expect(downloadMedia(ctx, { tenantId, as: agent, mxc, maxBytes: 5 })).rejects.toMatchObject({
      code: "invalid",
    });
    await expect(downloadMedia(ctx, { tenantId, as: agent, mxc: "http://x", maxBytes: 5 })).rejects.toThrow(/mxc/);
  });
});

const ENCRYPTED = { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };

describe("the tenant's policy", { timeout: 60_000 }, () => {
  test("a direct chat that asks for encryption, as Element X does, is made without it, and keeps the rest", async () => {
    const made = await ann.call("POST", "/_matrix/client/v3/createRoom", {
      preset: "trusted_private_chat",
      is_direct: true,
      invite: [agent],
      initial_state: [ENCRYPTED, { type: "m.room.topic", state_key: "", content: { topic: "kept" } }],
    });
    const path = room(made.json.room_id as string);
    expect((await ann.call("GET", `${path}/state/m.room.encryption/`)).status).toBe(404);
    expect((await ann.call("GET", `${path}/state/m.room.topic/`)).json).toEqual({ topic: "kept" });
  });

  test("encryption cannot be switched on later, and the person reads why", async () => {
    const made = await ann.call("POST", "/_matrix/client/v3/createRoom", { preset: "private_chat" });
    const path = room(made.json.room_id as string);
    const refused = await ann.call("PUT", `${path}/state/m.room.encryption/`, ENCRYPTED.content);
    expect(refused.status).toBe(403);
    expect(refused.json.error).toMatch(/Encryption is switched off .* agents/);
    expect((await ann.call("PUT", `${path}/state/m.room.name/`, { name: "fine" })).status).toBe(200);
  });

  test("a tenant that chose otherwise has encrypted rooms", async () => {
    const { ctx } = world;
    await world.supervisor.ready(open);
    await createPerson(ctx, { tenantId: open, username: "eve", password: "correct horse" });
    const eve = await signIn((await getTenant(ctx, open)).homeserverUrl, "eve", "correct horse");
    const made = await eve.call("POST", "/_matrix/client/v3/createRoom", { initial_state: [ENCRYPTED] });
    const path = room(made.json.room_id as string);
    expect((await eve.call("GET", `${path}/state/m.room.encryption/`)).json).toEqual(ENCRYPTED.content);
  });

  test("nobody takes a name of the agents or the control bot, not even with the shared secret; the platform can", async () => {
    const { ctx } = world;
    const { homeserverUrl } = await getTenant(ctx, tenantId);
    const { registrationSharedSecret } = await tenantAccess(ctx, tenantId);
    const { createHmac } = await import("node:crypto");
    const url = `${homeserverUrl}/_synapse/admin/v1/register`;
    for (const username of ["agent-false", "Agent-False", "agentopia"]) {
      const { nonce } = (await (await fetch(url)).json()) as { nonce: string };
      const mac = createHmac("sha1", registrationSharedSecret)
        .update([nonce, username, "pw", "notadmin"].join("\0"))
        .digest("hex");
      const body = JSON.stringify({ nonce, username, password: "pw", admin: false, mac });
      const answer = await fetch(url, { method: "POST", body });
      expect(answer.status, username).toBe(400);
      expect(await answer.json()).toMatchObject({
        errcode: "M_EXCLUSIVE",
        error: expect.stringContaining("kept for agents"),
      });
    }
    expect(
      await registerAgentUser(ctx, { tenantId, localpart: "agent-false", displayName: "F", deviceId: "D" }),
    ).toMatch(/^@agent-false:/);
  });

  test("nobody registers by themselves, lists rooms publicly or takes an alias of the platform", async () => {
    const { homeserverUrl } = await getTenant(world.ctx, tenantId);
    const body = JSON.stringify({ username: "x", password: "correct horse", auth: { type: "m.login.dummy" } });
    const registered = await fetch(`${homeserverUrl}/_matrix/client/v3/register`, { method: "POST", body });
    expect(registered.status).toBe(403);
    const alias = await ann.call("POST", "/_matrix/client/v3/createRoom", { room_alias_name: "agentopia-control2" });
    expect(alias.status).toBe(400);
    const published = await ann.call("POST", "/_matrix/client/v3/createRoom", { visibility: "public" });
    const list = await ann.call("GET", "/_matrix/client/v3/publicRooms");
    expect(JSON.stringify(list.json.chunk)).not.toContain(published.json.room_id);
  });

  test("the homeserver speaks with no other server", async () => {
    const { homeserverUrl } = await getTenant(world.ctx, tenantId);
    expect((await fetch(`${homeserverUrl}/_matrix/federation/v1/version`)).status).toBe(404);
    const join = await ann.call("POST", `/_matrix/client/v3/join/${encodeURIComponent("#x:other.example")}`, {});
    expect(join.status).toBeGreaterThanOrEqual(400);
  });

  test("another generated config restarts it", async () => {
    const { ctx } = world;
    const file = path.join(ctx.config.home, "synapse", open, "homeserver.yaml");
    const before = readFileSync(path.join(ctx.config.home, "synapse", open, "synapse.pid"), "utf8");
    await world.down();
    writeFileSync(file, readFileSync(file, "utf8").replace('"7d"', '"6d"'));
    await world.up();
    await world.supervisor.ready(open);
    expect(readFileSync(file, "utf8")).toContain('"7d"');
    expect(readFileSync(path.join(ctx.config.home, "synapse", open, "synapse.pid"), "utf8")).not.toBe(before);
  });
});

/**
 * Rooms and teams that the platform made are renamed, described, opened, closed and archived here. A name and "archived" are rows, with an
 * action that makes Matrix follow, however long the homeserver is away; a topic and who reads history are one call to Matrix.
 */
import { and, eq, ne, sql } from "drizzle-orm";
import { CHANNELS, type Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import { actions, rooms, teams } from "../migrations/schema.ts";
import type { ActionPayload, RoomState } from "../migrations/types.ts";
import { tenantAccess } from "./access.ts";
import { putState, readStateEvent } from "./matrix.ts";
import { readTeam } from "./rooms.ts";

export type RoomRow = typeof rooms.$inferSelect;
type Tx = Parameters<Parameters<Context["db"]["transaction"]>[0]>[0];

/** What newcomers read; never what the whole world may. */
export const VISIBILITIES = ["shared", "invited", "joined"] as const;

export const MAX_NAME = 100;
export const MAX_TOPIC = 1000;

/** A room of this client. Throws `not_found`. */
export async function readRoom(ctx: Context, tenantId: string, roomId: string): Promise<RoomRow> {
  const [row] = await ctx.db
    .select()
    .from(rooms)
    .where(and(eq(rooms.tenantId, tenantId), eq(rooms.roomId, roomId)));
  if (!row) throw new AppError("not_found", "There is no such room.");
  return row;
}

/** Why the platform cannot change this room; null when it can. */
export const whyNotOurs = (room: Pick<RoomRow, "kind">): string | null =>
  room.kind === "other"
    ? "This room was made by people in Element, who decide in it: change it there. The platform sees it because an agent is a member."
    : null;

/** As readRoom, for what only works where the platform decides. Throws `forbidden` with the reason. */
export async function readOurRoom(ctx: Context, tenantId: string, roomId: string): Promise<RoomRow> {
  const room = await readRoom(ctx, tenantId, roomId);
  const why = whyNotOurs(room);
  if (why) throw new AppError("forbidden", why);
  return room;
}

/** Throws `invalid` for what is no name, `conflict` when another team has it. */
export async function renameTeam(ctx: Context, tenantId: string, teamId: string, wanted: string): Promise<void> {
  const name = checkName(wanted, "team");
  const team = await readTeam(ctx, tenantId, teamId);
  if (team.name === name) return;
  await ctx.db.transaction(async (tx) => {
    await checkTeamName(tx, tenantId, name, teamId);
    await tx.update(teams).set({ name }).where(eq(teams.id, teamId)).catch(asTaken("team", name));
    if (team.spaceRoomId) await followName(tx, tenantId, team.spaceRoomId, name);
  });
  await ctx.sql.notify(CHANNELS.action, "");
}

/** Throws `conflict` when a team of this client is called so, however it is written. */
export async function checkTeamName(
  tx: Pick<Tx, "select">,
  tenantId: string,
  name: string,
  except = "",
): Promise<void> {
  const others = await tx
    .select({ name: teams.name, archivedAt: teams.archivedAt })
    .from(teams)
    .where(and(eq(teams.tenantId, tenantId), ne(teams.id, except)));
  const same = others.find((team) => team.name.toLowerCase() === name.toLowerCase());
  if (same) throw taken(same.archivedAt ? "archived team" : "team", name);
}

/** Throws `invalid` for what is no name, `conflict` when another room of the team has it. */
export async function renameRoom(ctx: Context, room: RoomRow, wanted: string): Promise<void> {
  const name = checkName(wanted, "room");
  if (room.channel === name && room.state?.name === name) return;
  await ctx.db.transaction(async (tx) => {
    await tx.update(rooms).set({ channel: name }).where(here(room)).catch(asTaken("room", name));
    await followName(tx, room.tenantId, room.roomId, name);
  });
  await ctx.sql.notify(CHANNELS.action, "");
}

/** Gives the room the name of its row. */
export async function putRoomName(ctx: Context, tenantId: string, roomId: string): Promise<void> {
  const room = await readRoom(ctx, tenantId, roomId);
  const name = room.kind === "space" && room.teamId ? (await readTeam(ctx, tenantId, room.teamId)).name : room.channel;
  if (!name) return;
  const { controlUserId: as } = await tenantAccess(ctx, tenantId);
  const place = { tenantId, as, roomId, type: "m.room.name", stateKey: "" };
  if ((await readStateEvent(ctx, place))?.name !== name) await putState(ctx, { ...place, content: { name } });
}

/** An empty topic takes it away. */
export async function setTopic(ctx: Context, room: RoomRow, topic: string): Promise<void> {
  if (topic.length > MAX_TOPIC) throw new AppError("invalid", `A topic has at most ${MAX_TOPIC} characters.`);
  await change(ctx, room, "m.room.topic", { topic }, { topic: topic || null });
}

/** Who of those who come later reads what was said before. Throws `invalid` for anything that is not for members only. */
export async function setHistoryVisibility(ctx: Context, room: RoomRow, visibility: string): Promise<void> {
  const value = VISIBILITIES.find((one) => one === visibility);
  if (!value) throw new AppError("invalid", "History is for members: choose shared, invited or joined.");
  await change(ctx, room, "m.room.history_visibility", { history_visibility: value }, { historyVisibility: value });
}

/** Closes a room, or opens it again. Twice is harmless. Returns whether it changed. Throws `conflict` when its team is archived. */
export async function setRoomArchived(ctx: Context, room: RoomRow, archived: boolean): Promise<boolean> {
  const team = room.teamId && !archived ? await readTeam(ctx, room.tenantId, room.teamId) : null;
  if (team?.archivedAt)
    throw new AppError(
      "conflict",
      `The whole team ${team.name} is archived. Bring the team back, and its rooms come with it.`,
    );
  const changed = await ctx.db.transaction((tx) => archiveRoom(ctx, tx, room, archived));
  if (changed) await ctx.sql.notify(CHANNELS.action, "");
  return changed;
}

/** A team with all its rooms. Rooms that were archived by themselves before stay so when it comes back. */
export async function setTeamArchived(
  ctx: Context,
  { tenantId, teamId, archived }: { tenantId: string; teamId: string; archived: boolean },
): Promise<void> {
  const team = await readTeam(ctx, tenantId, teamId);
  if (team.making && archived)
    throw new AppError("conflict", `${team.name} is still being made. Archive it when that is done.`);
  const archivedAt = archived ? new Date(ctx.clock.now()) : null;
  await ctx.db.transaction(async (tx) => {
    const [now] = await tx.select().from(teams).where(eq(teams.id, teamId)).for("update");
    const since = now?.archivedAt;
    if (!now || (since !== null) === archived) return;
    const all = await tx.select().from(rooms).where(eq(rooms.teamId, teamId));
    for (const room of all)
      if (archived || !since || (room.archivedAt && room.archivedAt >= since))
        await archiveRoom(ctx, tx, room, archived);
    await tx.update(teams).set({ archivedAt }).where(eq(teams.id, teamId));
  });
  await ctx.sql.notify(CHANNELS.action, "");
}

async function archiveRoom(ctx: Context, tx: Tx, room: RoomRow, archived: boolean): Promise<boolean> {
  const archivedAt = archived ? new Date(ctx.clock.now()) : null;
  const [now] = await tx.select({ archivedAt: rooms.archivedAt }).from(rooms).where(here(room)).for("update");
  if (!now || (now.archivedAt !== null) === archived) return false;
  await tx.update(rooms).set({ archivedAt }).where(here(room));
  await insertAction(tx, room, { kind: "power_levels" });
  const { controlUserId: as } = await tenantAccess(ctx, room.tenantId);
  if (room.kind === "channel") await insertAction(tx, room, { kind: "notice", as, text: archived ? CLOSED : OPENED });
  if (archived) await stopRuns(tx, room);
  return true;
}

/** What agents are writing there ends: they could not post it. */
async function stopRuns(tx: Tx, { tenantId, roomId }: RoomRow): Promise<void> {
  await tx.execute(sql`
    with stopped as (
      update runs set stop_reason = 'operator' where tenant_id = ${tenantId} and room_id = ${roomId}
        and state in ('queued', 'running', 'waiting') and stop_reason is null returning id
    ), forms as (
      -- A form that an agent does has its run above.
      update form_runs set stop_reason = 'operator' where tenant_id = ${tenantId} and room_id = ${roomId}
        and state in ('queued', 'running') and run_id is null and stop_reason is null returning id)
    select pg_notify(${CHANNELS.stop}, id) from stopped union all select pg_notify(${CHANNELS.stop}, 'form-' || id) from forms`);
}

const CLOSED =
  "This room is archived now: everybody here can still read it, and nobody can write. A manager can bring it back.";
const OPENED = "This room is open again: write as before.";

/** One piece of state by the control bot; what lists show of it is set at once, before the homeserver hands the event back. */
async function change(
  ctx: Context,
  room: RoomRow,
  type: string,
  content: Record<string, unknown>,
  known: Partial<RoomState>,
): Promise<void> {
  const { tenantId, roomId } = room;
  const { controlUserId: as } = await tenantAccess(ctx, tenantId);
  await putState(ctx, { tenantId, as, roomId, type, stateKey: "", content });
  await ctx.sql`update rooms set state = state || ${JSON.stringify(known)}::text::jsonb
    where tenant_id = ${tenantId} and room_id = ${roomId} and state is not null`;
}

async function followName(tx: Tx, tenantId: string, roomId: string, name: string): Promise<void> {
  const [room] = await tx
    .select()
    .from(rooms)
    .where(and(eq(rooms.tenantId, tenantId), eq(rooms.roomId, roomId)))
    .for("update");
  if (!room) return;
  if (room.state)
    await tx
      .update(rooms)
      .set({ state: { ...room.state, name } })
      .where(here(room));
  await insertAction(tx, room, { kind: "room_name" });
}

async function insertAction(tx: Tx, room: Pick<RoomRow, "tenantId" | "roomId">, payload: ActionPayload): Promise<void> {
  await tx.insert(actions).values({ id: newId(), tenantId: room.tenantId, roomId: room.roomId, payload });
}

const here = (room: Pick<RoomRow, "tenantId" | "roomId">) =>
  and(eq(rooms.tenantId, room.tenantId), eq(rooms.roomId, room.roomId));

/** What people call a team or room. Throws `invalid`. */
export function checkName(wanted: string, what: "team" | "room"): string {
  const name = wanted.normalize("NFC").trim();
  if (name === "") throw new AppError("invalid", `A ${what} needs a name.`);
  if ([...name].length > MAX_NAME)
    throw new AppError("invalid", `A ${what}'s name has at most ${MAX_NAME} characters.`);
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(name))
    throw new AppError("invalid", `A ${what}'s name cannot have line breaks or control characters.`);
  return name;
}

const taken = (what: string, name: string) =>
  new AppError(
    "conflict",
    `There is ${/^[aeiou]/.test(what) ? "an" : "a"} ${what} called ${name} already. Choose another name.`,
  );

/** A unique violation (23505) is a name that is taken; anything else stays what it is. */
const asTaken = (what: string, name: string) => (error: unknown) => {
  const { code } = ((error as { cause?: unknown }).cause ?? error) as { code?: string };
  throw code === "23505" ? taken(what, name) : error;
};

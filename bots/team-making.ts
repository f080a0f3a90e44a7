/**
 * Teams are made in the background: a row says what is wanted and how far it is, an action makes the next part until all are there. Each
 * part is found again by what it is made of, so that a crash or a homeserver that is away only delays it.
 */
import { and, asc, eq, inArray } from "drizzle-orm";
import { CHANNELS, type Context } from "../core/context.ts";
import { isTransient } from "../core/database.ts";
import { AppError, sentenceOf } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import { readPerson } from "../homeserver/people.ts";
import { checkName, checkTeamName, MAX_TOPIC } from "../homeserver/room-manage.ts";
import { ensureWelcome } from "../homeserver/room-welcome.ts";
import { addPersonToTeam, createChannel, ensureSpace, readTeam } from "../homeserver/rooms.ts";
import { actions, agents, teams } from "../migrations/schema.ts";
import type { TeamMaking, TeamMakingRoom } from "../migrations/types.ts";
import { type AgentRow, createAgent } from "./agents.ts";
import { addAgentToRoom } from "./room-agents.ts";
import { getTemplate } from "./templates.ts";

type TeamRow = typeof teams.$inferSelect;

const MAX_ROOMS = 50;
const NAMES_TRIED = 20;

export interface TeamWish {
  tenantId: string;
  name: string;
  rooms: TeamMakingRoom[];
  agents: TeamMaking["agents"];
  /** Matrix user id of the person who makes it; operators have none. */
  by?: string | undefined;
}

/**
 * Writes down the team, and the action that makes it; `byCaller`: without one, whoever calls completes it. Throws `invalid`, and
 * `conflict` when the name is taken.
 */
export async function startTeam(ctx: Context, wish: TeamWish, { byCaller = false } = {}): Promise<TeamRow> {
  const name = checkName(wish.name, "team");
  const rooms = checkRooms(wish.rooms);
  const who = wish.by ? { by: wish.by } : {};
  const making: TeamMaking = { rooms, agents: wish.agents, ...who, done: 0, of: 0, now: "Waiting to begin." };
  making.of = partsOf(making).length;
  const id = newId();
  const row = await ctx.db.transaction(async (tx) => {
    await checkTeamName(tx, wish.tenantId, name);
    const [made] = await tx
      .insert(teams)
      .values({ id, tenantId: wish.tenantId, name, making })
      .onConflictDoNothing()
      .returning();
    if (!made) throw new AppError("conflict", `There is a team called ${name} already. Choose another name.`);
    if (!byCaller) await tx.insert(actions).values(makingAction(wish.tenantId, id));
    return made;
  });
  await ctx.sql.notify(CHANNELS.action, "");
  return row;
}

/** Goes on with a team whose making ended in a problem. */
export async function resumeTeam(ctx: Context, tenantId: string, teamId: string): Promise<TeamRow> {
  const team = await readTeam(ctx, tenantId, teamId);
  if (!team.making) return team;
  if (team.making.problem) {
    const { problem: _, ...making } = team.making;
    await note(ctx, team, making);
    await ctx.db.insert(actions).values(makingAction(tenantId, teamId));
    await ctx.sql.notify(CHANNELS.action, "");
  }
  return await readTeam(ctx, tenantId, teamId);
}

/** What the action does. What cannot be mended by waiting stays with the team as a sentence; everything else is thrown and tried again. */
export async function makeTeam(ctx: Context, teamId: string): Promise<void> {
  try {
    await completeTeam(ctx, teamId);
  } catch (error) {
    const [team] = await ctx.db.select().from(teams).where(eq(teams.id, teamId));
    if (!team?.making) throw error;
    const sentence = sentenceOf(error);
    if (isTransient(error)) {
      await note(ctx, team, { ...team.making, now: sentence });
      throw error;
    }
    ctx.log.error({ err: error, team: teamId }, "a team could not be made");
    await note(ctx, team, { ...team.making, problem: sentence });
  }
}

/** Makes every part that is missing. Throws what stands in the way. */
export async function completeTeam(ctx: Context, teamId: string): Promise<void> {
  const [team] = await ctx.db.select().from(teams).where(eq(teams.id, teamId));
  if (!team?.making) return;
  const { problem: _, ...making } = team.making;
  const parts = partsOf(making);
  const made: Made = { rooms: new Map(), agents: new Map() };
  for (const [done, part] of parts.entries()) {
    await note(ctx, team, { ...making, done, of: parts.length, now: part.now });
    await part.make(ctx, team, made);
  }
  await ctx.db.update(teams).set({ making: null }).where(eq(teams.id, teamId));
  await tell(ctx, team.tenantId);
}

interface Made {
  /** Room ids by name. */
  rooms: Map<string, string>;
  agents: Map<string, AgentRow>;
}

interface Part {
  now: string;
  make(ctx: Context, team: TeamRow, made: Made): Promise<void>;
}

function partsOf({ rooms, agents: wanted, by }: Pick<TeamMaking, "rooms" | "agents" | "by">): Part[] {
  return [
    { now: "Making the team's space.", make: async (ctx, team) => void (await ensureSpace(ctx, team)) },
    ...rooms.map(roomPart),
    ...(by ? [makerPart(by)] : []),
    ...wanted.flatMap(({ templateId, rooms: names }) => [
      agentPart(templateId),
      ...names.map((name) => joinPart(templateId, name)),
    ]),
    ...rooms.filter(({ welcome }) => welcome).map(welcomePart),
  ];
}

const roomPart = ({ name, topic }: TeamMakingRoom): Part => ({
  now: `Making the room ${name}.`,
  async make(ctx, { tenantId, id: teamId }, made) {
    made.rooms.set(name, await createChannel(ctx, { tenantId, teamId, name, topic }));
  },
});

const makerPart = (userId: string): Part => ({
  now: `${userId} comes into the rooms.`,
  async make(ctx, { tenantId, id: teamId }) {
    // An account that was ended meanwhile cannot come in, and the team is no worse for it.
    const person = await readPerson(ctx, { tenantId, userId });
    if (person && !person.deactivated) await addPersonToTeam(ctx, { tenantId, teamId, userId, moderator: true });
  },
});

const agentPart = (templateId: string): Part => ({
  now: `Making the agent ${getTemplate(templateId).definition.name}.`,
  async make(ctx, { tenantId }, made) {
    made.agents.set(templateId, await agentOf(ctx, tenantId, templateId));
  },
});

const joinPart = (templateId: string, roomName: string): Part => ({
  now: `${getTemplate(templateId).definition.name} comes into ${roomName}.`,
  async make(ctx, { tenantId }, made) {
    const agent = made.agents.get(templateId);
    const roomId = made.rooms.get(roomName);
    if (agent && roomId) await addAgentToRoom(ctx, { tenantId, agentId: agent.id, roomId, scope: null });
  },
});

const welcomePart = ({ name, welcome }: TeamMakingRoom): Part => ({
  now: `Pinning a welcome in ${name}.`,
  async make(ctx, { tenantId }, made) {
    const roomId = made.rooms.get(name);
    if (welcome && roomId) await ensureWelcome(ctx, { tenantId, roomId, text: welcome });
  },
});

/** The client's agent of this template, whatever it is called by now; else a new one, with a number where its name is taken. */
async function agentOf(ctx: Context, tenantId: string, templateId: string): Promise<AgentRow> {
  const { definition } = getTemplate(templateId);
  for (let n = 1; ; n++) {
    // Looked for anew each time: a name may be taken because somebody else makes the same agent just now.
    const known = await knownAgent(ctx, tenantId, templateId);
    if (known && known.state !== "creating") return known;
    try {
      const name = n === 1 ? definition.name : `${definition.name} ${n}`;
      return await createAgent(ctx, {
        tenantId,
        definition: known?.definition ?? { ...definition, name },
        templateId,
      });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "conflict" || n === NAMES_TRIED) throw error;
    }
  }
}

async function knownAgent(ctx: Context, tenantId: string, templateId: string): Promise<AgentRow | undefined> {
  const usable = inArray(agents.state, ["creating", "active", "paused"]);
  const [known] = await ctx.db
    .select()
    .from(agents)
    .where(and(eq(agents.tenantId, tenantId), eq(agents.templateId, templateId), usable))
    .orderBy(asc(agents.createdAt))
    .limit(1);
  return known;
}

function checkRooms(rooms: TeamMakingRoom[]): TeamMakingRoom[] {
  if (rooms.length > MAX_ROOMS) throw new AppError("invalid", `A team begins with at most ${MAX_ROOMS} rooms.`);
  const checked = rooms.map((room) => ({ ...room, name: checkName(room.name, "room") }));
  const names = checked.map(({ name }) => name.toLowerCase());
  const twice = checked.find(({ name }, index) => names.indexOf(name.toLowerCase()) !== index);
  if (twice) throw new AppError("invalid", `Two rooms are called ${twice.name}. Give each a name of its own.`);
  if (checked.some(({ topic }) => (topic?.length ?? 0) > MAX_TOPIC))
    throw new AppError("invalid", `A topic has at most ${MAX_TOPIC} characters.`);
  return checked;
}

const makingAction = (tenantId: string, teamId: string): typeof actions.$inferInsert => ({
  id: newId(),
  tenantId,
  roomId: `team:${teamId}`,
  payload: { kind: "make_team", teamId },
});

/** How far it is, for who looks on; and that the action which makes it is still alive, so that nobody else takes it. */
async function note(ctx: Context, team: TeamRow, making: TeamMaking): Promise<void> {
  await ctx.db.update(teams).set({ making }).where(eq(teams.id, team.id));
  await ctx.sql`update actions set due_at = greatest(due_at, now() + interval '20 seconds')
    where state = 'open' and attempts > 0 and room_id = ${`team:${team.id}`}`;
  await tell(ctx, team.tenantId);
}

const tell = (ctx: Context, tenantId: string) => ctx.sql.notify(CHANNELS.panel, `teams ${tenantId}`);

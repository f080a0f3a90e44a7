/** Teams and rooms as the API answers them. */
import { TEAM_TEMPLATES, type TeamTemplate } from "../../bots/team-templates.ts";
import { getTemplate } from "../../bots/templates.ts";
import type { AgentInRoom, MemberFacts, RoomFacts, TeamFacts } from "../rooms-list.ts";
import { moment, z } from "./endpoint.ts";
import { iso } from "./iso.ts";

export const scope = z.enum(["observer", "member", "moderator"]);

export const roomAgentView = z
  .object({
    id: z.string(),
    userId: z.string(),
    name: z.string(),
    description: z.string(),
    state: z.string(),
    scope: scope.openapi({ description: "What it may in this room: observers read along and cannot post." }),
    usualScope: scope.openapi({ description: "What it may where nothing else was said." }),
    membership: z.enum(["join", "invite"]),
  })
  .openapi("RoomAgent");
export type RoomAgentView = z.output<typeof roomAgentView>;

export const roomView = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    topic: z.string().nullable(),
    made: z.enum(["platform", "people"]),
    team: z.object({ id: z.string(), name: z.string(), archived: z.boolean() }).nullable(),
    historyVisibility: z.enum(["world_readable", "shared", "invited", "joined"]),
    encrypted: z.boolean(),
    archivedAt: moment.nullable(),
    createdAt: moment,
    people: z.number().int(),
    agentCount: z.number().int(),
    agents: z.array(roomAgentView).openapi({ description: "In lists the first few." }),
    whyNotManaged: z.string().nullable().openapi({ description: "Why it cannot be changed here; null when it can." }),
    link: z.string().openapi({ description: "Opens it in Element." }),
  })
  .openapi("Room");
export type RoomView = z.output<typeof roomView>;

export const makingView = z.object({
  done: z.number().int(),
  of: z.number().int(),
  now: z.string(),
  problem: z.string().nullable(),
});

export const teamView = z
  .object({
    id: z.string(),
    name: z.string(),
    making: z.boolean().openapi({ description: "Parts of it are still missing." }),
    progress: makingView.nullable(),
    archivedAt: moment.nullable(),
    createdAt: moment,
    people: z.number().int(),
    mine: z.boolean().openapi({ description: "The person who asks is in it; false for operators." }),
    rooms: z.array(roomView),
    link: z.string().nullable().openapi({ description: "Opens its space in Element." }),
  })
  .openapi("Team");
export type TeamView = z.output<typeof teamView>;

export const memberView = z
  .object({
    userId: z.string(),
    name: z.string().nullable(),
    membership: z.enum(["join", "invite"]),
    moderator: z.boolean(),
  })
  .openapi("RoomMember");
export type MemberView = z.output<typeof memberView>;

export const teamTemplateView = z
  .object({
    id: z.string(),
    title: z.string(),
    description: z.string(),
    rooms: z.array(z.object({ name: z.string(), topic: z.string(), welcome: z.string() })),
    agents: z.array(
      z.object({ templateId: z.string(), name: z.string(), title: z.string(), rooms: z.array(z.string()) }),
    ),
  })
  .openapi("TeamTemplate");
export type TeamTemplateView = z.output<typeof teamTemplateView>;

/** Rooms of version 12 have no server in their id: without `via` no app would find them. */
export const matrixTo = (id: string, serverName: string): string =>
  `https://matrix.to/#/${encodeURIComponent(id)}?via=${encodeURIComponent(serverName)}`;

export const viewRoom = (room: RoomFacts): RoomView => ({
  id: room.id,
  name: room.name,
  topic: room.topic,
  made: room.kind === "other" ? "people" : "platform",
  team: room.team,
  historyVisibility: room.historyVisibility,
  encrypted: room.encrypted,
  archivedAt: iso(room.archivedAt),
  createdAt: iso(room.createdAt),
  people: room.people,
  agentCount: room.agentCount,
  agents: room.agents.map(viewAgent),
  whyNotManaged: room.whyNotManaged,
  link: matrixTo(room.id, room.serverName),
});

const viewAgent = (agent: AgentInRoom): RoomAgentView => ({ ...agent });
export const viewMember = (member: MemberFacts): MemberView => ({ ...member });

export const viewTeam = (team: TeamFacts, serverName: string): TeamView => ({
  id: team.id,
  name: team.name,
  making: team.making !== null,
  progress: team.making && {
    done: team.making.done,
    of: team.making.of,
    now: team.making.now,
    problem: team.making.problem ?? null,
  },
  archivedAt: iso(team.archivedAt),
  createdAt: iso(team.createdAt),
  mine: team.mine,
  people: team.people,
  rooms: team.rooms.map(viewRoom),
  link: team.spaceRoomId && matrixTo(team.spaceRoomId, serverName),
});

export const viewTeamTemplates = (): TeamTemplateView[] => TEAM_TEMPLATES.map(viewTemplate);

const viewTemplate = (template: TeamTemplate): TeamTemplateView => ({
  ...template,
  agents: template.agents.map(({ templateId, rooms }) => {
    const { title, definition } = getTemplate(templateId);
    return { templateId, rooms, title, name: definition.name };
  }),
});

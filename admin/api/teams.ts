/** Teams: the tree, new ones blank or from a template, their names, their people. */
import { resumeTeam, startTeam, type TeamWish } from "../../bots/team-making.ts";
import { TEAM_TEMPLATES, teamTemplate } from "../../bots/team-templates.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { MAX_NAME, MAX_TOPIC, renameTeam, setTeamArchived } from "../../homeserver/room-manage.ts";
import { addPersonToTeam, removePersonFromTeam, requireOurPerson } from "../../homeserver/room-people.ts";
import { readTeam } from "../../homeserver/rooms.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import { listTeams } from "../rooms-list.ts";
import type { Caller } from "./caller.ts";
import { type Endpoint, endpoint, words, z } from "./endpoint.ts";
import { pageOf, pageQuery, readCursor, toPage, writeCursor } from "./pages.ts";
import { teamTemplateView, teamView, viewTeam, viewTeamTemplates } from "./teams-views.ts";

const TEAMS = "/clients/{client}/teams";
const TEAM = "/clients/{client}/teams/{team}";

const newRoom = z.object({ name: words(MAX_NAME), topic: words(MAX_TOPIC, 0).optional() });
const newTeam = z.object({
  name: words(MAX_NAME).optional().openapi({ description: "The template's title when it is not given." }),
  template: z.string().max(50).optional().openapi({ description: "Of GET /team-templates; its rooms and agents." }),
  rooms: z
    .array(newRoom)
    .max(50)
    .optional()
    .openapi({ description: "Instead of the template's; one called general when there is neither." }),
});

/** A member sees where they are; everybody else the whole client. */
export const seenBy = (caller: Caller, tenantId: string) => ({
  tenantId,
  onlyFor: caller.role === "member" ? caller.id : null,
});

/** Operators are nobody in Matrix. */
const askerOf = (caller: Caller): string | null => (caller.kind === "person" ? caller.id : null);

export const flag = z.enum(["true", "false"]).transform((text) => text === "true");

export const teamEndpoints = (ctx: Context): Endpoint[] => [
  templatesEndpoint(),
  listEndpoint(ctx),
  createEndpoint(ctx),
  endpoint(
    { method: "get", path: TEAM, action: "teams.read", tag: "teams", summary: "One team", answer: teamView },
    async ({ params, caller }) => await viewOne(ctx, params.client, params.team, caller),
  ),
  changeEndpoint(ctx),
  endpoint(
    {
      method: "post",
      path: `${TEAM}/resume`,
      action: "teams.write",
      tag: "teams",
      summary: "Go on with a team whose making ended in a problem",
      answer: teamView,
      status: 202,
    },
    async ({ params, caller, audit }) => {
      const { id, name } = await resumeTeam(ctx, params.client, params.team);
      audit({ target: { kind: "team", id, name } });
      return await viewOne(ctx, params.client, params.team, caller);
    },
  ),
  ...peopleEndpoints(ctx),
];

const templatesEndpoint = () =>
  endpoint(
    {
      method: "get",
      path: "/team-templates",
      action: "templates.read",
      tag: "teams",
      summary: "Teams to begin with: rooms, agents, a welcome in each room",
      query: pageQuery,
      answer: pageOf(teamTemplateView),
    },
    async ({ query }) => {
      const [after] = readCursor(query.cursor, "string") ?? [""];
      const from = TEAM_TEMPLATES.findIndex(({ id }) => id === after) + 1;
      const left = viewTeamTemplates().slice(from);
      return toPage(
        left,
        query.limit,
        ({ id }) => writeCursor(id),
        (one) => one,
      );
    },
  );

const listEndpoint = (ctx: Context) =>
  endpoint(
    {
      method: "get",
      path: TEAMS,
      action: "teams.read",
      tag: "teams",
      summary: "The tree: teams by name, each with its rooms and the agents in them",
      query: pageQuery.extend({ archived: flag.default(false), q: words(100, 0).optional() }),
      answer: pageOf(teamView),
    },
    async ({ params, query, caller }) => {
      const { serverName } = await getTenant(ctx, params.client);
      const [name] = readCursor(query.cursor, "string") ?? [];
      const after = name === undefined ? null : { name };
      const found = await listTeams(ctx, { ...query, ...seenBy(caller, params.client), asker: askerOf(caller), after });
      return toPage(
        found,
        query.limit,
        (team) => writeCursor(team.name),
        (team) => viewTeam(team, serverName),
      );
    },
  );

const createEndpoint = (ctx: Context) =>
  endpoint(
    {
      method: "post",
      path: TEAMS,
      action: "teams.write",
      tag: "teams",
      summary: "Make a team; its rooms and agents come after the answer, and the person who makes it is put in",
      body: newTeam,
      answer: teamView,
      status: 202,
      creates: true,
    },
    async ({ params, body, caller, audit }) => {
      await getTenant(ctx, params.client);
      const wish = { ...wishOf(params.client, body), by: askerOf(caller) ?? undefined };
      const { id, name } = await startTeam(ctx, wish);
      audit({
        target: { kind: "team", id, name },
        after: { name, template: body.template ?? null, rooms: wish.rooms.map((room) => room.name) },
      });
      return await viewOne(ctx, params.client, id, caller);
    },
  );

function wishOf(tenantId: string, { name, template, rooms }: z.output<typeof newTeam>): TeamWish {
  const base = template === undefined ? null : teamTemplate(template);
  const title = name ?? base?.title;
  if (!title) throw new AppError("invalid", "Give the team a name, or begin with a template.");
  const wanted = rooms ?? base?.rooms ?? [{ name: "general" }];
  const names = wanted.map((room) => room.name);
  const agents = (base?.agents ?? []).map(({ templateId, rooms: into }) => ({
    templateId,
    rooms: into.filter((room) => names.includes(room)),
  }));
  return { tenantId, name: title, rooms: wanted, agents };
}

const changeEndpoint = (ctx: Context) =>
  endpoint(
    {
      method: "patch",
      path: TEAM,
      action: "teams.write",
      tag: "teams",
      summary: "Rename a team; archive it with all its rooms, or bring it back",
      body: z.object({ name: words(MAX_NAME).optional(), archived: z.boolean().optional() }),
      answer: teamView,
    },
    async ({ params, body, caller, audit }) => {
      const before = await readTeam(ctx, params.client, params.team);
      audit({
        target: { kind: "team", id: before.id, name: before.name },
        before: { name: before.name, archived: before.archivedAt !== null },
        after: body,
      });
      const place = { tenantId: params.client, teamId: params.team };
      if (body.name !== undefined) await renameTeam(ctx, params.client, params.team, body.name);
      if (body.archived !== undefined) await setTeamArchived(ctx, { ...place, archived: body.archived });
      return await viewOne(ctx, params.client, params.team, caller);
    },
  );

const peopleEndpoints = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "post",
      path: `${TEAM}/people`,
      action: "teams.write",
      tag: "teams",
      summary: "Put people into a team and all its rooms",
      body: z.object({ users: z.array(z.string().min(1).max(255)).min(1).max(100) }),
      answer: null,
    },
    async ({ params, body, audit }) => {
      const team = await readTeam(ctx, params.client, params.team);
      audit({ target: { kind: "team", id: team.id, name: team.name }, after: { added: body.users } });
      for (const userId of body.users) await requireOurPerson(ctx, params.client, userId);
      for (const userId of body.users) await addPersonToTeam(ctx, { tenantId: params.client, teamId: team.id, userId });
    },
  ),
  endpoint(
    {
      method: "delete",
      path: `${TEAM}/people/{user}`,
      action: "teams.write",
      tag: "teams",
      summary: "Take somebody out of a team and all its rooms",
      answer: null,
    },
    async ({ params, audit }) => {
      const team = await readTeam(ctx, params.client, params.team);
      audit({ target: { kind: "team", id: team.id, name: team.name }, after: { removed: params.user } });
      await removePersonFromTeam(ctx, { tenantId: params.client, teamId: team.id, userId: params.user });
    },
  ),
];

async function viewOne(ctx: Context, tenantId: string, id: string, caller: Caller) {
  const { serverName } = await getTenant(ctx, tenantId);
  const wish = { ...seenBy(caller, tenantId), asker: askerOf(caller), limit: 1, archived: false, after: null, id };
  const [team] = await listTeams(ctx, wish);
  if (!team) throw new AppError("not_found", "There is no such team.");
  return viewTeam(team, serverName);
}

/** What an agent was and did: its versions, its rooms, what people thought of its answers. */
import { feedbackOfAgent, roomsOfAgent } from "../../bots/agent-list.ts";
import { getAgent } from "../../bots/agents.ts";
import { getVersion, listVersions, rollback } from "../../bots/publish.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import { agentOf, sayingWhy, versionOf } from "./agent-answers.ts";
import { agentRoomView, agentView, feedbackView, versionDetails, versionView } from "./agents-views.ts";
import { byline } from "./caller.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { iso } from "./iso.ts";
import { pageOf, pageQuery, readCursor, toPage, writeCursor } from "./pages.ts";

const ONE = "/clients/{client}/agents/{agent}";

export const agentRecordEndpoints = (ctx: Context): Endpoint[] => [...versions(ctx), ...surroundings(ctx)];

const versions = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: `${ONE}/versions`,
      action: "agents.read_definition",
      tag: "agents",
      summary: "What was published, newest first",
      query: pageQuery,
      answer: pageOf(versionView),
    },
    async ({ params, query }) => {
      const row = await find(ctx, params);
      const [before] = readCursor(query.cursor, "number") ?? [];
      const rows = await listVersions(ctx, row.id, {
        limit: query.limit + 1,
        ...(before === undefined ? {} : { before: whole(before, 2_147_483_647) }),
      });
      return toPage(rows, query.limit, ({ version }) => writeCursor(version), versionOf);
    },
  ),
  endpoint(
    {
      method: "get",
      path: `${ONE}/versions/{version}`,
      action: "agents.read_definition",
      tag: "agents",
      summary: "One version with its definition",
      answer: versionDetails,
    },
    async ({ params }) => {
      const found = await getVersion(ctx, await find(ctx, params), versionNumber(params.version));
      return { ...versionOf(found), definition: found.definition };
    },
  ),
  endpoint(
    {
      method: "post",
      path: `${ONE}/versions/{version}/rollback`,
      action: "agents.write",
      auditAs: "agents.rollback",
      tag: "agents",
      summary: "Publish what an earlier version said, as a new one; a draft stays",
      answer: agentView,
    },
    async ({ params, caller, audit }) => {
      const before = await find(ctx, params);
      const version = versionNumber(params.version);
      const which = { tenantId: params.client, agentId: before.id, version, by: byline(caller) };
      const row = await sayingWhy(rollback(ctx, which));
      const target = { kind: "agent", id: row.id, name: row.name };
      audit({ target, before: { version: before.version }, after: { version: row.version, backTo: version } });
      return await agentOf(ctx, row, true);
    },
  ),
];

const surroundings = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: `${ONE}/rooms`,
      action: "agents.read_definition",
      tag: "agents",
      summary: "The rooms that it is in or was invited to, and its scope there",
      query: pageQuery,
      answer: pageOf(agentRoomView),
    },
    async ({ params, query }) => {
      const row = await find(ctx, params);
      const [after] = readCursor(query.cursor, "string") ?? [""];
      const rooms = await roomsOfAgent(ctx, row, { after, limit: query.limit + 1 });
      return toPage(
        rooms,
        query.limit,
        ({ roomId }) => writeCursor(roomId),
        (room) => room,
      );
    },
  ),
  endpoint(
    {
      method: "get",
      path: `${ONE}/feedback`,
      action: "agents.read_definition",
      tag: "agents",
      summary: "👍 and 👎 on its answers, newest first",
      query: pageQuery,
      answer: pageOf(feedbackView),
    },
    async ({ params, query }) => {
      const row = await find(ctx, params);
      const [at, id] = readCursor(query.cursor, "number", "string") ?? [];
      const before = at === undefined || id === undefined ? null : { at: whole(at, Number.MAX_SAFE_INTEGER), id };
      const found = await feedbackOfAgent(ctx, row, { before, limit: query.limit + 1 });
      return toPage(
        found,
        query.limit,
        (one) => writeCursor(one.at, one.id),
        (one) => ({ ...one, at: iso(one.at / 1000) }),
      );
    },
  ),
];

async function find(ctx: Context, { client, agent }: { client: string; agent: string }) {
  await getTenant(ctx, client);
  return await getAgent(ctx, client, agent);
}

/** Of a cursor that anybody may have written. */
const whole = (value: number, most: number) => Math.min(Math.max(0, Math.trunc(value)), most);

function versionNumber(text: string): number {
  const version = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (version < 1) throw new AppError("not_found", "There is no such version. Versions are counted from 1.");
  return version;
}

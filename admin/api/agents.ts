/** Agents: the gallery, one of them, its draft and what becomes of it. */
import { countFor, pageOfAgents } from "../../bots/agent-list.ts";
import { definitionOf } from "../../bots/agent-rows.ts";
import { type AgentRow, getAgent, removeAgent, setAgentState } from "../../bots/agents.ts";
import { createDraft, createDraftNamed, discardDraft, duplicateAgent, saveDraft } from "../../bots/drafts.ts";
import { publish } from "../../bots/publish.ts";
import { getTemplate } from "../../bots/templates.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import type { AgentDefinition } from "../../migrations/types.ts";
import { agentOf, answering, itemOf, sayingWhy } from "./agent-answers.ts";
import { agentFileEndpoints } from "./agent-files.ts";
import { agentRecordEndpoints } from "./agent-records.ts";
import { agentItem, agentView, createBody, discardQuery, draftBody, listQuery, publishBody } from "./agents-views.ts";
import { byline } from "./caller.ts";
import { InvalidFields } from "./conflict.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { pageOf, readCursor, toPage, writeCursor } from "./pages.ts";

const LIST = "/clients/{client}/agents";
const ONE = "/clients/{client}/agents/{agent}";

export const agentEndpoints = (ctx: Context): Endpoint[] => [
  ...listing(ctx),
  ...writing(ctx),
  ...living(ctx),
  ...agentFileEndpoints(ctx),
  ...agentRecordEndpoints(ctx),
];

const listing = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: LIST,
      action: "agents.read",
      tag: "agents",
      summary: "A client's agents, by name; members see those that are published",
      query: listQuery,
      answer: pageOf(agentItem),
    },
    async ({ params, query, may }) => {
      await getTenant(ctx, params.client);
      const [after] = readCursor(query.cursor, "string") ?? [null];
      const all = may("agents.read_definition");
      const filter = { q: query.q?.trim(), state: query.state, template: query.template, published: !all };
      const rows = await pageOfAgents(ctx, params.client, filter, { after, limit: query.limit + 1 });
      const [answers, counts] = all
        ? await Promise.all([answering(ctx, params.client), countFor(ctx, params.client, rows.slice(0, query.limit))])
        : [null, null];
      return toPage(
        rows,
        query.limit,
        ({ key }) => writeCursor(key),
        (row) => itemOf(row, answers, counts?.get(row.id)),
      );
    },
  ),
  endpoint(
    {
      method: "get",
      path: ONE,
      action: "agents.read",
      tag: "agents",
      summary: "One agent, by id, name or user id",
      answer: agentView,
    },
    async ({ params, may }) => {
      await getTenant(ctx, params.client);
      const row = await getAgent(ctx, params.client, params.agent);
      const all = may("agents.read_definition");
      if (!all && row.state !== "active" && row.state !== "paused")
        throw new AppError("not_found", "There is no such agent, or it is not published yet.");
      return await agentOf(ctx, row, all);
    },
  ),
];

const writing = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "post",
      path: LIST,
      action: "agents.write",
      auditAs: "agents.create",
      tag: "agents",
      summary: "Write a new agent: a draft, from a template or blank",
      body: createBody,
      answer: agentView,
      status: 201,
      creates: true,
    },
    async ({ params, body, caller, audit }) => {
      await getTenant(ctx, params.client);
      const template = body.template === undefined ? null : getTemplate(body.template);
      const name = body.definition?.name ?? template?.definition.name;
      if (name === undefined) throw new InvalidFields({ "definition.name": "Give the agent a name." });
      const wish = {
        tenantId: params.client,
        definition: { ...BLANK, ...template?.definition, ...body.definition, name } satisfies AgentDefinition,
        templateId: template?.id ?? null,
        templateDefinition: template?.definition ?? null,
        by: byline(caller),
      };
      // A name that somebody typed is theirs or nobody's; a template's may get a number.
      const make = body.definition?.name === undefined ? createDraftNamed : createDraft;
      const row = await sayingWhy(make(ctx, wish), "definition.");
      audit({ ...targetOf(row), after: { template: row.templateId, name: row.name } });
      return await agentOf(ctx, row, true);
    },
  ),
  endpoint(
    {
      method: "put",
      path: `${ONE}/draft`,
      action: "agents.write",
      auditAs: "agents.save_draft",
      tag: "agents",
      summary: "Keep what is written; 409 with the other draft when somebody else was faster",
      body: draftBody,
      answer: agentView,
    },
    async ({ params, body, caller, audit }) => {
      const before = await find(ctx, params);
      const wish = { tenantId: params.client, agentId: before.id, ...body, by: byline(caller) };
      const row = await sayingWhy(saveDraft(ctx, wish), "definition.");
      audit({ ...targetOf(row), ...changed(before.draft ?? before.definition, body.definition) });
      return await agentOf(ctx, row, true);
    },
  ),
  endpoint(
    {
      method: "delete",
      path: `${ONE}/draft`,
      action: "agents.write",
      auditAs: "agents.discard_draft",
      tag: "agents",
      summary: "Forget what is written; what is published stands",
      query: discardQuery,
      answer: agentView,
    },
    async ({ params, query, audit }) => {
      const before = await find(ctx, params);
      const which = { tenantId: params.client, agentId: before.id, revision: query.revision };
      const row = await sayingWhy(discardDraft(ctx, which));
      audit({ ...targetOf(row), before: before.draft, after: null });
      return await agentOf(ctx, row, true);
    },
  ),
  endpoint(
    {
      method: "post",
      path: `${ONE}/publish`,
      action: "agents.write",
      auditAs: "agents.publish",
      tag: "agents",
      summary: "Make the draft what people hear; said twice it happens once",
      body: publishBody,
      answer: agentView,
    },
    async ({ params, body, caller, audit }) => {
      const before = await find(ctx, params);
      const wish = { tenantId: params.client, agentId: before.id, ...body, by: byline(caller) };
      const was = before.state === "draft" ? null : before.definition;
      // Told before as well: what is published stands even when its homeserver does not answer yet.
      audit({ ...targetOf(before), ...changed(was, before.draft ?? before.definition) });
      const row = await sayingWhy(publish(ctx, wish));
      audit({ ...targetOf(row), ...changed(was, row.definition, { version: row.version }) });
      return await agentOf(ctx, row, true);
    },
  ),
  endpoint(
    {
      method: "post",
      path: `${ONE}/duplicate`,
      action: "agents.write",
      auditAs: "agents.duplicate",
      tag: "agents",
      summary: 'Write another one like it, under the next free name ("Writer 2")',
      answer: agentView,
      status: 201,
      creates: true,
    },
    async ({ params, caller, audit }) => {
      const source = await find(ctx, params);
      const which = { tenantId: params.client, agentId: source.id, by: byline(caller) };
      const row = await sayingWhy(duplicateAgent(ctx, which));
      audit({ ...targetOf(row), after: { copyOf: source.name, name: row.name } });
      return await agentOf(ctx, row, true);
    },
  ),
];

const living = (ctx: Context): Endpoint[] => [
  ...(["pause", "resume"] as const).map((verb) =>
    endpoint(
      {
        method: "post",
        path: verb === "pause" ? `${ONE}/pause` : `${ONE}/resume`,
        action: "agents.write",
        auditAs: `agents.${verb}`,
        tag: "agents",
        summary: verb === "pause" ? "Let it answer nobody until it is resumed" : "Let it answer again",
        answer: agentView,
      },
      async ({ params, audit }) => {
        const before = await find(ctx, params);
        const row = await setAgentState(ctx, before.id, verb === "pause" ? "paused" : "active");
        audit({ ...targetOf(row), before: { state: before.state }, after: { state: row.state } });
        return await agentOf(ctx, row, true);
      },
    ),
  ),
  endpoint(
    {
      method: "delete",
      path: ONE,
      action: "agents.write",
      auditAs: "agents.remove",
      tag: "agents",
      summary: "Take it out of its rooms for good; what it wrote stays",
      answer: null,
    },
    async ({ params, audit }) => {
      const row = await find(ctx, params);
      audit({ ...targetOf(row), before: definitionOf(row), after: null });
      await removeAgent(ctx, row.id);
    },
  ),
];

/** What an agent is when nobody said anything else. */
const BLANK: Omit<AgentDefinition, "name"> = {
  description: "",
  instructions: "",
  model: null,
  whoMayInvite: "anyone",
  scope: "member",
};

async function find(ctx: Context, { client, agent }: { client: string; agent: string }): Promise<AgentRow> {
  await getTenant(ctx, client);
  return await getAgent(ctx, client, agent);
}

const targetOf = ({ id, name }: AgentRow) => ({ target: { kind: "agent", id, name } });

/** The fields that differ, as the audit log keeps them. */
function changed(
  before: AgentDefinition | null,
  after: AgentDefinition,
  more: Record<string, unknown> = {},
): { before: unknown; after: unknown } {
  const fields = Object.keys({ ...before, ...after }) as (keyof AgentDefinition)[];
  const differ = fields.filter((field) => JSON.stringify(before?.[field]) !== JSON.stringify(after[field]));
  const pick = (from: AgentDefinition | null) =>
    from && Object.fromEntries(differ.map((field) => [field, from[field] ?? null]));
  return { before: pick(before), after: { ...pick(after), ...more } };
}

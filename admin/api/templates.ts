/** Templates, and what is new in them for agents that were made from them. */
import { getAgent } from "../../bots/agents.ts";
import { agentsToUpdate, type TemplateUpdate, takeTemplateUpdate, templateUpdate } from "../../bots/template-update.ts";
import { getTemplate, listTemplates, type Template } from "../../bots/templates.ts";
import type { Context } from "../../core/context.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import { sayingWhy } from "./agent-answers.ts";
import { byline } from "./caller.ts";
import { type Endpoint, endpoint, z } from "./endpoint.ts";
import { pageOf, pageQuery, readCursor, toPage, writeCursor } from "./pages.ts";
import {
  agentToUpdate,
  type TemplateUpdateView,
  type TemplateView,
  templateDetails,
  templateUpdateView,
  templateView,
} from "./templates-views.ts";

const AGENT = "/clients/{client}/agents/{agent}/template-update";

/** Each row is a merge of three texts: a page of them is small. */
const updatesQuery = pageQuery.extend({ limit: z.coerce.number().int().min(1).max(20).default(10) });

export const templateEndpoints = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: "/templates",
      action: "templates.read",
      tag: "templates",
      summary: "Agents to begin with",
      query: pageQuery,
      answer: pageOf(templateView),
    },
    async ({ query }) => {
      const [after] = readCursor(query.cursor, "string") ?? [""];
      const left = listTemplates().filter(({ id }) => id > after);
      return toPage(left.slice(0, query.limit + 1), query.limit, ({ id }) => writeCursor(id), view);
    },
  ),
  endpoint(
    {
      method: "get",
      path: "/templates/{template}",
      action: "templates.read",
      tag: "templates",
      summary: "One of them, with its instructions",
      answer: templateDetails,
    },
    async ({ params }) => {
      const template = getTemplate(params.template);
      const { instructions, variables = {} } = template.definition;
      return { ...view(template), instructions, variables };
    },
  ),
  endpoint(
    {
      method: "get",
      path: "/clients/{client}/template-updates",
      action: "agents.read_definition",
      tag: "agents",
      summary: "Agents whose template says something new",
      query: updatesQuery,
      answer: pageOf(agentToUpdate),
    },
    async ({ params, query }) => {
      await getTenant(ctx, params.client);
      const [name, id] = readCursor(query.cursor, "string", "string") ?? ["", ""];
      const found = await agentsToUpdate(ctx, params.client, { after: { name, id }, limit: query.limit + 1 });
      return toPage(
        found,
        query.limit,
        ({ agent }) => writeCursor(agent.name, agent.id),
        ({ agent, template }) => ({ id: agent.id, name: agent.name, template: template.id, title: template.title }),
      );
    },
  ),
  endpoint(
    {
      method: "get",
      path: AGENT,
      action: "agents.read_definition",
      tag: "agents",
      summary: "What an agent would get from its template; null when there is nothing new",
      answer: z.object({ update: templateUpdateView.nullable() }),
    },
    async ({ params }) => {
      await getTenant(ctx, params.client);
      const update = await templateUpdate(ctx, await getAgent(ctx, params.client, params.agent));
      return { update: update && updateView(update) };
    },
  ),
  endpoint(
    {
      method: "post",
      path: AGENT,
      action: "agents.write",
      auditAs: "agents.take_template",
      tag: "agents",
      summary: "Write what is new into the agent's draft; its own edits stay",
      body: z.object({
        revision: z
          .number()
          .int()
          .min(0)
          .max(2 ** 31 - 2),
      }),
      answer: z.object({ update: templateUpdateView }),
    },
    async ({ params, body, caller, audit }) => {
      await getTenant(ctx, params.client);
      const agent = await getAgent(ctx, params.client, params.agent);
      const update = await sayingWhy(
        takeTemplateUpdate(ctx, { tenantId: params.client, agentId: agent.id, ...body, by: byline(caller) }),
      );
      audit({
        target: { kind: "agent", id: agent.id, name: agent.name },
        before: Object.fromEntries(update.changes.map(({ field, from }) => [field, from])),
        after: Object.fromEntries(update.changes.map(({ field, to }) => [field, to])),
      });
      return { update: updateView(update) };
    },
  ),
];

const view = ({ id, title, category, questions, definition }: Template): TemplateView => ({
  id,
  title,
  category,
  questions,
  name: definition.name,
  description: definition.description,
});

const updateView = ({ revision, changes, conflicts }: TemplateUpdate): TemplateUpdateView => ({
  revision,
  changes,
  conflicts,
});

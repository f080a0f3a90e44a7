/** The first page of an operator, and of everybody in a client. */
import type { Context } from "../../core/context.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import { ATTENTION_KINDS, type Attention, clientHome, homeOf, operatorHome, type Question } from "../home.ts";
import { clientState } from "./clients-views.ts";
import { type Endpoint, endpoint, moment, z } from "./endpoint.ts";
import { iso } from "./iso.ts";
import type { ApiDeps } from "./list.ts";
import { matrixTo, roomView, viewRoom } from "./teams-views.ts";

export const attentionView = z
  .object({
    kind: z.enum(ATTENTION_KINDS),
    client: z.object({ id: z.string(), title: z.string() }).nullable(),
    count: z.number().nullable(),
    names: z.array(z.string()),
    text: z.string().nullable(),
    at: moment.nullable(),
    link: z.string().nullable().openapi({
      description: "The page of the panel where it is mended; null when somebody else mends it.",
      example: "/c/acme/runs",
    }),
  })
  .openapi("Attention");
export type AttentionView = z.output<typeof attentionView>;

export const todayView = z.object({
  answers: z.number().int(),
  tokens: z.number(),
  tokensCap: z.number().nullable(),
  peopleActive: z.number().int(),
  newPeople: z.number().int(),
});
export type TodayView = z.output<typeof todayView>;

const clientLineView = z.object({
  id: z.string(),
  title: z.string(),
  serverName: z.string(),
  state: clientState,
  needsLook: z.boolean(),
  people: z.number().int(),
  agents: z.number().int(),
});

export const operatorHomeView = z
  .object({
    attention: z.array(attentionView),
    today: todayView,
    clients: z
      .array(clientLineView)
      .openapi({ description: "The first few, those that need a look before the others." }),
    fresh: z
      .object({ demo: z.string().nullable().openapi({ description: "The demo client, where there is one." }) })
      .nullable()
      .openapi({ description: "For a platform with no client of its own and no answer yet; else null." }),
  })
  .openapi("OperatorHome");
export type OperatorHomeView = z.output<typeof operatorHomeView>;

const questionView = z.object({
  run: z.string(),
  state: z.string(),
  at: moment,
  agent: z.object({ id: z.string(), name: z.string() }),
  room: z.object({ id: z.string(), name: z.string().nullable() }),
  text: z.string().nullable().openapi({ description: "Null once it was erased." }),
  link: z.string().openapi({ description: "Opens the message in Element." }),
});
export type QuestionView = z.output<typeof questionView>;

export const clientHomeView = z
  .object({
    client: z.object({ id: z.string(), title: z.string(), serverName: z.string(), homeserverUrl: z.string() }),
    attention: z.array(attentionView),
    today: todayView.nullable().openapi({ description: "Null for members." }),
    steps: z
      .array(
        z.object({
          kind: z.enum(["team", "agent", "people"]),
          state: z.enum(["done", "next", "later"]),
          link: z.string(),
        }),
      )
      .nullable()
      .openapi({ description: "What comes next while there is little yet; null when all is there." }),
    agentsMet: z.boolean().openapi({ description: "Some agent is in a room; false for members." }),
    mine: z
      .object({ rooms: z.array(roomView), questions: z.array(questionView) })
      .nullable()
      .openapi({ description: "Of the person who asks; null for operators." }),
    elementUrl: z
      .string()
      .nullable()
      .openapi({ description: "Element in this browser, where the platform serves it." }),
  })
  .openapi("ClientHome");
export type ClientHomeView = z.output<typeof clientHomeView>;

export const homeEndpoints = (ctx: Context, deps: Pick<ApiDeps, "elementServed">): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: "/home",
      action: "clients.list",
      tag: "clients",
      summary: "What needs a look now over all clients, what happened today, and the first of the clients",
      answer: operatorHomeView,
    },
    async () => {
      const { attention, ...rest } = await operatorHome(ctx);
      return { attention: attention.map(viewAttention), ...rest };
    },
  ),
  endpoint(
    {
      method: "get",
      path: "/clients/{client}/home",
      action: "clients.read",
      tag: "clients",
      summary: "What needs a look in a client, what happened today, the next step; for its people what is theirs",
      answer: clientHomeView,
    },
    async ({ params, caller, may }) => {
      const tenant = await getTenant(ctx, params.client);
      const { id, title, serverName, homeserverUrl } = tenant;
      const all = may("runs.read") ? await clientHome(ctx, tenant) : null;
      const mine = caller.kind === "person" && may("runs.read_own") ? await homeOf(ctx, id, caller.id) : null;
      const isNew = all?.steps.some(({ state }) => state !== "done") ?? false;
      return {
        client: { id, title, serverName, homeserverUrl },
        attention: (all?.attention ?? []).map((item) => {
          // The homeserver's page is for operators; the client's own people are told only.
          const theirs = item.kind === "client_down" && !may("clients.control");
          return { ...viewAttention(item), ...(theirs ? { link: null } : {}) };
        }),
        today: all?.today ?? null,
        steps: isNew && may("teams.write") ? (all?.steps ?? null) : null,
        agentsMet: all?.steps.some(({ kind, state }) => kind === "agent" && state === "done") ?? false,
        mine: mine && {
          rooms: mine.rooms.map(viewRoom),
          questions: mine.questions.map((question) => viewQuestion(question, serverName)),
        },
        elementUrl: deps.elementServed() ? `/element/${id}/` : null,
      };
    },
  ),
];

const viewAttention = ({ kind, client, count, names, text, at, link }: Attention): AttentionView => ({
  kind,
  client: client ?? null,
  count: count ?? null,
  names: names ?? [],
  text: text ?? null,
  at: iso(at ?? null),
  link,
});

const viewQuestion = (question: Question, serverName: string): QuestionView => ({
  run: question.run,
  state: question.state,
  at: iso(question.at),
  agent: { id: question.agentId, name: question.agentName },
  room: { id: question.roomId, name: question.roomName },
  text: question.text,
  link: matrixTo(question.roomId, serverName).replace("?", `/${encodeURIComponent(question.event)}?`),
});

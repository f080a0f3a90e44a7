/** Models: the operator's for all clients, and each client's own. Keys go in and never come out. */
import {
  changeModel,
  checkModel,
  foundModels,
  listModelFacts,
  removeModelById,
  setDefaultModel,
} from "../../bots/model-changes.ts";
import { addModel } from "../../bots/models.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import type { Caller } from "./caller.ts";
import { InvalidFields } from "./conflict.ts";
import { type Call, type Endpoint, endpoint, words, z } from "./endpoint.ts";
import { checkOf, checkView, foundView, type ModelView, modelView, provider, viewOf } from "./models-views.ts";
import { pageOf, pageQuery, readCursor, toPage, writeCursor } from "./pages.ts";

const key = words(2000).openapi({ description: "Kept encrypted, and never shown again." });
const contextWindow = z.number().int().min(512).max(100_000_000);

const newModel = z.object({
  name: words(100).openapi({ description: "What agents call it." }),
  provider: provider.optional().openapi({ description: "openai-compatible when there is an address." }),
  baseUrl: words(500).optional(),
  model: words(300).optional().openapi({ description: "Its server's name for it; else the first that it lists." }),
  apiKey: key.optional(),
  isDefault: z.boolean().optional(),
  contextWindow: contextWindow.optional(),
});

const changes = z.object({
  name: words(100).optional(),
  baseUrl: words(500).optional(),
  model: words(300).optional(),
  apiKey: key.nullable().optional().openapi({ description: "A new one; null: none any more; left out: as it is." }),
  contextWindow: contextWindow.optional(),
});

const defaultBody = z.object({
  model: z.string().max(100).nullable().openapi({ description: "Its id; null: what the operator set." }),
});

type Asked = Pick<Call<Record<string, string>, unknown, unknown, Caller>, "audit" | "caller">;

export const modelEndpoints = (ctx: Context): Endpoint[] => [
  ...shared(ctx),
  ...ofClient(ctx),
  endpoint(
    {
      method: "get",
      path: "/models/found",
      action: "models.write_shared",
      tag: "models",
      summary: "Model servers that run on the platform's machine and are not added yet",
      query: pageQuery,
      answer: pageOf(foundView),
    },
    async ({ query: { limit, cursor } }) => {
      const [from = 0] = readCursor(cursor, "number") ?? [];
      const begin = Math.max(0, Math.trunc(from));
      const found = (await foundModels(ctx)).slice(begin, begin + limit + 1);
      return toPage(
        found,
        limit,
        () => writeCursor(begin + limit),
        (one) => one,
      );
    },
  ),
];

const shared = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: "/models",
      action: "models.read",
      tag: "models",
      summary: "The operator's models, for all clients",
      query: pageQuery,
      answer: pageOf(modelView),
    },
    async ({ query }) => list(ctx, null, query, true),
  ),
  endpoint(
    {
      method: "post",
      path: "/models",
      action: "models.write_shared",
      auditAs: "models.add",
      tag: "models",
      summary: "Add a model for all clients",
      body: newModel,
      answer: modelView,
      status: 201,
      creates: true,
    },
    async (call) => add(ctx, null, call, call.body),
  ),
  endpoint(
    {
      method: "put",
      path: "/models/default",
      action: "models.write_shared",
      auditAs: "models.set_default",
      tag: "models",
      summary: "Which model answers where neither agent nor client names one",
      body: defaultBody,
      answer: z.object({ model: modelView.nullable() }),
    },
    async (call) => setDefault(ctx, null, call, call.body.model),
  ),
  endpoint(
    {
      method: "patch",
      path: "/models/{model}",
      action: "models.write_shared",
      auditAs: "models.change",
      tag: "models",
      summary: "Change a model that was added",
      body: changes,
      answer: modelView,
    },
    async (call) => change(ctx, { tenantId: null, id: call.params.model }, call, call.body),
  ),
  endpoint(
    {
      method: "delete",
      path: "/models/{model}",
      action: "models.write_shared",
      auditAs: "models.remove",
      tag: "models",
      summary: "Remove a model that was added",
      answer: null,
    },
    async (call) => remove(ctx, { tenantId: null, id: call.params.model }, call),
  ),
  endpoint(
    {
      method: "post",
      path: "/models/{model}/test",
      action: "models.write_shared",
      auditAs: null, // asks for a word; the ledger has what it cost
      tag: "models",
      summary: "Ask a model for one word: whether it answers, what and how fast",
      answer: checkView,
    },
    async ({ params }) => checkOf(await checkModel(ctx, null, params.model)),
  ),
];

const ofClient = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: "/clients/{client}/models",
      action: "models.read",
      tag: "models",
      summary: "A client's own models, then the operator's",
      query: pageQuery,
      answer: pageOf(modelView),
    },
    async ({ params, query, may }) => {
      await getTenant(ctx, params.client);
      return list(ctx, params.client, query, may("models.write_shared"));
    },
  ),
  endpoint(
    {
      method: "post",
      path: "/clients/{client}/models",
      action: "models.write",
      auditAs: "models.add",
      tag: "models",
      summary: "Add a model of the client's own",
      body: newModel,
      answer: modelView,
      status: 201,
      creates: true,
    },
    async (call) => {
      await getTenant(ctx, call.params.client);
      return add(ctx, call.params.client, call, call.body);
    },
  ),
  endpoint(
    {
      method: "put",
      path: "/clients/{client}/models/default",
      action: "models.write",
      auditAs: "models.set_default",
      tag: "models",
      summary: "Which model answers where an agent names none: an own one, or one of the operator's",
      body: defaultBody,
      answer: z.object({ model: modelView.nullable() }),
    },
    async (call) => {
      await getTenant(ctx, call.params.client);
      return setDefault(ctx, call.params.client, call, call.body.model);
    },
  ),
  endpoint(
    {
      method: "patch",
      path: "/clients/{client}/models/{model}",
      action: "models.write",
      auditAs: "models.change",
      tag: "models",
      summary: "Change one of the client's own",
      body: changes,
      answer: modelView,
    },
    async (call) => change(ctx, { tenantId: call.params.client, id: call.params.model }, call, call.body),
  ),
  endpoint(
    {
      method: "delete",
      path: "/clients/{client}/models/{model}",
      action: "models.write",
      auditAs: "models.remove",
      tag: "models",
      summary: "Remove one of the client's own",
      answer: null,
    },
    async (call) => remove(ctx, { tenantId: call.params.client, id: call.params.model }, call),
  ),
  endpoint(
    {
      method: "post",
      path: "/clients/{client}/models/{model}/test",
      action: "models.write",
      auditAs: null, // asks for a word; the ledger has what it cost
      tag: "models",
      summary: "Ask a model for one word, on the client's account: whether it answers, what and how fast",
      answer: checkView,
    },
    async ({ params }) => {
      await getTenant(ctx, params.client);
      return checkOf(await checkModel(ctx, params.client, params.model));
    },
  ),
];

async function list(ctx: Context, tenantId: string | null, query: z.output<typeof pageQuery>, whole: boolean) {
  const [sharedOnes, name, id] = readCursor(query.cursor, "number", "string", "string") ?? [];
  const after =
    sharedOnes === undefined || name === undefined || id === undefined
      ? undefined
      : { shared: sharedOnes > 0 ? 1 : 0, name, id };
  const rows = await listModelFacts(ctx, tenantId, { limit: query.limit + 1, after });
  return toPage(
    rows,
    query.limit,
    (row) => writeCursor(row.tenantId === null ? 1 : 0, row.name, row.id),
    (row) => viewOf(row, tenantId, whole),
  );
}

async function one(ctx: Context, tenantId: string | null, id: string, whole: boolean): Promise<ModelView> {
  const [facts] = await listModelFacts(ctx, tenantId, { limit: 1, id });
  if (!facts) throw new AppError("not_found", "There is no such model here. It may have been removed.");
  return viewOf(facts, tenantId, whole);
}

async function add(ctx: Context, tenantId: string | null, { audit }: Asked, body: z.output<typeof newModel>) {
  const { contextWindow: context, ...wish } = body;
  if (!body.provider && !body.baseUrl)
    throw new InvalidFields({ provider: "Choose a provider, or give the address of a server." });
  if (body.provider === "openai-compatible" && !body.baseUrl)
    throw new InvalidFields({ baseUrl: "Give the address of its server, as https://models.example.org/v1" });
  if (body.provider && body.provider !== "openai-compatible" && !body.apiKey)
    throw new InvalidFields({ apiKey: "This provider needs a key." });
  const added = await atField(tenantId, () =>
    addModel(ctx, { ...wish, tenantId, ...(context ? { abilities: { contextWindow: context } } : {}) }),
  );
  audit({ target: { kind: "model", id: added.id, name: added.name }, after: withoutKey(body) });
  return await one(ctx, tenantId, added.id, tenantId === null);
}

interface Which {
  tenantId: string | null;
  id: string;
}

async function change(ctx: Context, which: Which, { audit, caller }: Asked, body: z.output<typeof changes>) {
  const whole = caller.role === "operator";
  await atField(which.tenantId, () => changeModel(ctx, which, body));
  const now = await one(ctx, which.tenantId, which.id, whole);
  audit({ target: { kind: "model", id: now.id, name: now.name }, after: withoutKey(body) });
  return now;
}

async function remove(ctx: Context, { tenantId, id }: Which, { audit }: Asked): Promise<void> {
  const row = await removeModelById(ctx, tenantId, id);
  const { name, provider: from, baseUrl, model } = row;
  audit({ target: { kind: "model", id, name }, before: { name, provider: from, baseUrl, model } });
}

async function setDefault(ctx: Context, tenantId: string | null, { audit, caller }: Asked, id: string | null) {
  const before = await defaultName(ctx, tenantId);
  await setDefaultModel(ctx, tenantId, id);
  const [now] = (await listModelFacts(ctx, tenantId, { limit: 200 })).filter((facts) => facts.isDefaultHere);
  audit({
    target: { kind: "model", id: now?.id ?? "-", name: now?.name },
    before: { default: before },
    after: { default: now?.name ?? null },
  });
  return { model: now ? viewOf(now, tenantId, caller.role === "operator") : null };
}

const defaultName = async (ctx: Context, tenantId: string | null) =>
  (await listModelFacts(ctx, tenantId, { limit: 200 })).find((facts) => facts.isDefaultHere)?.name ?? null;

/** A key is said to have been given, not which. */
const withoutKey = <Body extends { apiKey?: string | null | undefined }>({ apiKey, ...rest }: Body) => ({
  ...rest,
  ...(apiKey === undefined ? {} : apiKey === null ? { keyTakenAway: true } : { keyGiven: true }),
});

/** What the guard says of an address is said at its field. */
async function atField<T>(tenantId: string | null, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "address_refused") throw error;
    const more = tenantId === null ? "" : " A model on your own network is added by the operator.";
    throw new InvalidFields({ baseUrl: error.sentence + more });
  }
}

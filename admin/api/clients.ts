/** Clients: the operator's list, new ones, one of them, and its removal. What their homeservers do is in `homeservers.ts`. */
import { eq } from "drizzle-orm";
import type { Context } from "../../core/context.ts";
import { keptPorts } from "../../core/ports.ts";
import { setupOf } from "../../homeserver/drivers/external.ts";
import {
  createTenant,
  getTenant,
  requestRemoval,
  serverNameProblem,
  type TenantRow,
  tenantChanged,
  tenantNameProblem,
} from "../../homeserver/tenants.ts";
import { tenants } from "../../migrations/schema.ts";
import { listClients } from "../clients.ts";
import { publicUrl } from "../public-url.ts";
import {
  type ClientView,
  clientCreated,
  clientRow,
  clientState,
  clientView,
  rowOf,
  type SetupView,
  setupView,
} from "./clients-views.ts";
import { InvalidFields } from "./conflict.ts";
import { type Endpoint, endpoint, words, z } from "./endpoint.ts";
import type { ApiDeps } from "./list.ts";
import { pageOf, pageQuery, readCursor, toPage, writeCursor } from "./pages.ts";

const newClient = z.object({
  id: z.string().max(100).openapi({ description: "Its short name, for ever: a–z, 0–9, -", example: "acme" }),
  title: words(100).optional(),
  serverName: words(200).optional().openapi({ description: "What stands behind the colon in user names, for ever." }),
  driver: z.enum(["process", "external"]).default("process"),
  url: words(500).optional().openapi({ description: "Where a homeserver answers that others run." }),
});

const about = ({ id, title }: TenantRow) => ({ kind: "client", id, name: title });

export const clientEndpoints = (ctx: Context, deps: ApiDeps): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: "/clients",
      action: "clients.list",
      tag: "clients",
      summary: "All clients, those that need a look first",
      query: pageQuery.extend({ q: z.string().max(200).optional(), state: clientState.optional() }),
      answer: pageOf(clientRow),
    },
    async ({ query: { q, state, limit, cursor } }) => {
      const [rank = 0, title = "", id = ""] = readCursor(cursor, "number", "string", "string") ?? [];
      const after = cursor === undefined ? undefined : { rank: Math.max(0, Math.min(9, Math.trunc(rank))), title, id };
      const found = await listClients(ctx, { q: q?.trim() || undefined, state, limit: limit + 1, after });
      return toPage(
        found,
        limit,
        ({ cursor: at }) => writeCursor(at.rank, at.title, at.id),
        ({ facts }) => rowOf(facts),
      );
    },
  ),
  endpoint(
    {
      method: "post",
      path: "/clients",
      action: "clients.create",
      tag: "clients",
      summary: "Add a client; its homeserver is made after the answer",
      body: newClient,
      answer: clientCreated,
      status: 201,
      creates: true,
    },
    async ({ body, audit }) => {
      checkNewClient(body);
      const row = await createTenant(ctx, body);
      audit({ target: about(row), after: body });
      return { ...(await viewOf(ctx, deps, row, true)), setup: await setupFor(ctx, row) };
    },
  ),
  endpoint(
    {
      method: "get",
      path: "/clients/{client}",
      action: "clients.read",
      tag: "clients",
      summary: "One client",
      answer: clientView,
    },
    async ({ params, may }) => viewOf(ctx, deps, await getTenant(ctx, params.client), may("clients.control")),
  ),
  endpoint(
    {
      method: "patch",
      path: "/clients/{client}",
      action: "clients.update",
      tag: "clients",
      summary: "Change a client's title, or how long texts are kept",
      body: z.object({ title: words(100).optional(), retentionDays: z.number().int().min(1).max(3650).optional() }),
      answer: clientView,
    },
    async ({ params, body, audit }) => {
      const before = await getTenant(ctx, params.client);
      const { title = before.title, retentionDays = before.retentionDays } = body;
      await ctx.db.update(tenants).set({ title, retentionDays }).where(eq(tenants.id, before.id));
      await tenantChanged(ctx, before.id);
      audit({
        target: { ...about(before), name: title },
        before: { title: before.title, retentionDays: before.retentionDays },
        after: { title, retentionDays },
      });
      return viewOf(ctx, deps, await getTenant(ctx, before.id), true);
    },
  ),
  endpoint(
    {
      method: "delete",
      path: "/clients/{client}",
      action: "clients.remove",
      tag: "clients",
      summary: "Remove a client with everything of it",
      body: z.object({
        confirm: z.string().max(100).openapi({ description: "Its short name once more." }),
        keepBackup: z.boolean().default(true),
      }),
      answer: z.object({
        backup: z.string().nullable().openapi({ description: "Where what it held will lie; null: nothing is kept." }),
      }),
      status: 202,
    },
    async ({ params, body, audit }) => {
      const row = await getTenant(ctx, params.client);
      if (body.confirm.trim() !== row.id)
        throw new InvalidFields({ confirm: `Type ${row.id} to remove this client. Nothing was removed.` });
      const removal = await requestRemoval(ctx, row.id, { keepBackup: body.keepBackup });
      audit({ target: about(row), after: removal });
      return removal;
    },
  ),
  endpoint(
    {
      method: "get",
      path: "/clients/{client}/setup",
      action: "clients.control",
      tag: "clients",
      summary: "What to add to a homeserver that others run; null for ours",
      answer: z.object({ setup: setupView.nullable() }),
    },
    async ({ params }) => ({ setup: await setupFor(ctx, await getTenant(ctx, params.client)) }),
  ),
];

/** Says what is wrong at the field that it is about. */
function checkNewClient({ id, serverName, driver, url }: z.output<typeof newClient>): void {
  const fields: Record<string, string> = {};
  const name = tenantNameProblem(id);
  if (name) fields.id = name;
  const server = serverName === undefined ? null : serverNameProblem(serverName.toLowerCase());
  if (server) fields.serverName = server;
  if (driver === "external" && !serverName)
    fields.serverName = "Say the server name of that homeserver: what stands behind the colon in its user names.";
  if (driver === "external" && !(url && URL.canParse(url) && /^https?:/.test(url)))
    fields.url = "Say where that homeserver answers, as https://matrix.example.org";
  if (driver === "process" && url) fields.url = "A homeserver of its own gets its address here. Leave this empty.";
  if (Object.keys(fields).length > 0) throw new InvalidFields(fields);
}

async function viewOf(ctx: Context, deps: ApiDeps, row: TenantRow, full: boolean): Promise<ClientView> {
  const { id, title, serverName, homeserverUrl, state, driver, desired, stateDetail, version, retentionDays } = row;
  return {
    id,
    title,
    serverName,
    homeserverUrl,
    elementUrl: deps.elementServed() ? `${await publicUrl(ctx)}/element/${id}/` : null,
    state,
    details: !full
      ? null
      : {
          driver,
          desired,
          stateDetail,
          version,
          retentionDays,
          createdAt: row.createdAt.toISOString(),
          restarting: row.restartRequestedAt !== null,
          ours: driver === "process",
        },
  };
}

/** As its driver writes it into the home folder, for those who cannot look there. */
async function setupFor(ctx: Context, row: TenantRow): Promise<SetupView | null> {
  if (row.driver !== "external") return null;
  const { internal } = await keptPorts(ctx.config.home, { public: ctx.config.port });
  return setupOf(ctx, row, `http://127.0.0.1:${internal}`);
}

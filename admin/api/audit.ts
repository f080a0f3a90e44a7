/** The audit log: of one client, and of the whole platform. */
import type { Context } from "../../core/context.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import { type AuditFilter, type AuditLine, auditChoices, listAudit } from "../audit-list.ts";
import { auditSheet } from "../audit-sheet.ts";
import { type Endpoint, endpoint, moment, z } from "./endpoint.ts";
import { iso } from "./iso.ts";
import { pageOf, pageQuery, readCursor, writeCursor } from "./pages.ts";

export const auditView = z
  .object({
    id: z.number().int(),
    at: moment,
    client: z.string().nullable(),
    actor: z.object({
      kind: z.enum(["operator", "person", "command_line", "link", "stranger"]).openapi({
        description: "`stranger`: somebody who was not let in; the id is the address they came from.",
      }),
      id: z.string(),
      name: z.string(),
      onBehalfOf: z.string().nullable(),
    }),
    action: z.string(),
    target: z.object({ kind: z.string(), id: z.string(), name: z.string().nullable() }),
    before: z.unknown(),
    after: z.unknown(),
    outcome: z.enum(["open", "done", "failed", "refused"]).openapi({
      description:
        "`open`: under way, or cut off by a crash, and nobody knows whether it happened. `refused`: a sign-in that was; `after` says why and how often.",
    }),
    address: z.string().nullable(),
  })
  .openapi("AuditLine");
export type AuditView = z.output<typeof auditView>;

export const auditChoicesView = z
  .object({ actions: z.array(z.string()), actors: z.array(z.object({ id: z.string(), name: z.string() })) })
  .openapi("AuditChoices");
export type AuditChoicesView = z.output<typeof auditChoicesView>;

const text = (most: number) =>
  z
    .string()
    .max(most)
    .transform((value) => value.trim() || undefined)
    .optional();

const filters = {
  actor: text(300).openapi({ description: "Id of an operator, person or link." }),
  action: text(100).openapi({ description: "`agents.publish`, or `agents` for all of them." }),
  target: text(300).openapi({ description: "Id of what was changed." }),
  from: moment.optional(),
  to: moment.optional().openapi({ description: "Before this moment." }),
  q: text(200).openapi({ description: "Text in the names; a page may then hold few lines and still have a next one." }),
};
const exportQuery = z.object(filters);
const listQuery = pageQuery.extend(filters);

export const auditEndpoints = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: "/audit",
      action: "audit.read_all",
      tag: "audit",
      summary: "Every change, newest first",
      query: listQuery,
      answer: pageOf(auditView),
    },
    async ({ query }) => await page(ctx, null, query),
  ),
  endpoint(
    {
      method: "get",
      path: "/clients/{client}/audit",
      action: "audit.read",
      tag: "audit",
      summary: "Every change in one client, newest first",
      query: listQuery,
      answer: pageOf(auditView),
    },
    async ({ params, query }) => await page(ctx, (await getTenant(ctx, params.client)).id, query),
  ),
  endpoint(
    {
      method: "get",
      path: "/audit/choices",
      action: "audit.read_all",
      tag: "audit",
      summary: "Actions and people that the filters offer",
      answer: auditChoicesView,
    },
    async () => await auditChoices(ctx, null),
  ),
  endpoint(
    {
      method: "get",
      path: "/clients/{client}/audit/choices",
      action: "audit.read",
      tag: "audit",
      summary: "Actions and people that the filters of one client offer",
      answer: auditChoicesView,
    },
    async ({ params }) => await auditChoices(ctx, (await getTenant(ctx, params.client)).id),
  ),
  endpoint(
    {
      method: "get",
      path: "/audit.csv",
      action: "audit.read_all",
      tag: "audit",
      summary: "Every change as CSV, the 100,000 newest at most",
      query: exportQuery,
      answer: "file",
    },
    async ({ query }) => sheet(ctx, filterOf(null, query)),
  ),
  endpoint(
    {
      method: "get",
      path: "/clients/{client}/audit.csv",
      action: "audit.read",
      tag: "audit",
      summary: "Every change in one client as CSV, the 100,000 newest at most",
      query: exportQuery,
      answer: "file",
    },
    async ({ params, query }) => sheet(ctx, filterOf((await getTenant(ctx, params.client)).id, query)),
  ),
];

function filterOf(tenantId: string | null, { from, to, ...rest }: z.output<typeof exportQuery>): AuditFilter {
  return { tenantId, ...rest, from: from ? new Date(from) : undefined, to: to ? new Date(to) : undefined };
}

async function page(ctx: Context, tenantId: string | null, { limit, cursor, ...query }: z.output<typeof listQuery>) {
  const [before = null] = readCursor(cursor, "number") ?? [];
  const { lines, next } = await listAudit(ctx, filterOf(tenantId, query), { limit, before });
  return { items: lines.map(shown), next: next === null ? null : writeCursor(next) };
}

const shown = (line: AuditLine) => ({
  id: line.seq,
  at: iso(line.at),
  client: line.tenantId,
  actor: { kind: line.actorKind, id: line.actorId, name: line.actorName, onBehalfOf: line.onBehalfOf },
  action: line.action,
  target: { kind: line.targetKind, id: line.targetId, name: line.targetName },
  before: line.before,
  after: line.after,
  outcome: line.outcome,
  address: line.address,
});

/** Rows are read while they are sent: no export is ever in memory as a whole. */
function sheet(ctx: Context, filter: AuditFilter): Response {
  const rows = auditSheet(ctx, filter);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { value, done } = await rows.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      } catch (error) {
        ctx.log.error({ err: error }, "an export of the audit log broke off");
        controller.error(error);
      }
    },
    async cancel() {
      await rows.return(undefined);
    },
  });
  return new Response(body, {
    headers: {
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": `attachment; filename="audit${filter.tenantId ? `-${filter.tenantId}` : ""}.csv"`,
      "cache-control": "no-store",
    },
  });
}

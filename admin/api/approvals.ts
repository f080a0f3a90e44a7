/** What agents ask people before they do it, decided in the panel as well as in the room; and what was granted for always. */
import { DecidedAlready, decideInPanel } from "../../bots/approvals/decide-in-panel.ts";
import { listGrants, revokeGrant } from "../../bots/approvals/grants.ts";
import { type Looker, listApprovals, readApproval } from "../../bots/approvals/list.ts";
import { listTools } from "../../bots/tools/sources.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { getTenant, type TenantRow } from "../../homeserver/tenants.ts";
import type { Action } from "../rights.ts";
import { approvalView, grantView, viewApproval, viewGrant } from "./approvals-views.ts";
import { byline, type Caller } from "./caller.ts";
import { ConflictError } from "./conflict.ts";
import { type Endpoint, endpoint, words, z } from "./endpoint.ts";
import { pageOf, pageQuery, readMomentCursor, shortPageQuery, toPage, writeCursor } from "./pages.ts";

const LIST = "/clients/{client}/approvals";
const ONE = `${LIST}/{approval}`;
const GRANTS = "/clients/{client}/grants";
/** More than a badge says. */
const COUNTED = 99;

export const approvalEndpoints = (ctx: Context): Endpoint[] => [...reading(ctx), ...deciding(ctx), ...granted(ctx)];

/** A token reads what its maker may; it decides nothing. */
const lookerOf = (caller: Caller, may: (action: Action) => boolean): Looker => ({
  by: byline(caller),
  reads: may("tools.read"),
  decides: caller.token === null && may("approvals.decide_all"),
});

/** What a view needs besides the rows. */
async function around(ctx: Context, { id, serverName }: TenantRow, rows: readonly { tool: string }[]) {
  return {
    serverName,
    tools: await listTools(
      ctx,
      id,
      rows.map(({ tool }) => tool),
    ),
  };
}

const reading = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: LIST,
      action: "approvals.read",
      tag: "approvals",
      summary:
        "What waits for people, or what became of it, newest first; members get what they may decide and what their own runs wait for. Pages may be short: go on until there is no `next`",
      query: shortPageQuery.extend({
        state: z.enum(["open", "over"]).default("open"),
        agent: z.string().min(1).max(200).optional(),
      }),
      answer: pageOf(approvalView),
    },
    async ({ params: { client }, query, caller, may }) => {
      const tenant = await getTenant(ctx, client);
      const after = readMomentCursor(query.cursor);
      const filter = { tenantId: client, open: query.state === "open", agentId: query.agent };
      const page = { limit: query.limit, after };
      const { approvals, next } = await listApprovals(ctx, filter, lookerOf(caller, may), page);
      const facts = await around(ctx, tenant, approvals);
      return {
        items: approvals.map((row) => viewApproval(row, facts)),
        next: next && writeCursor(next.micros, next.id),
      };
    },
  ),
  endpoint(
    {
      method: "get",
      path: `${LIST}/count`,
      action: "approvals.read",
      tag: "approvals",
      summary: `How many wait for whoever asks, at most ${COUNTED}`,
      answer: z.object({ waiting: z.number().int() }),
    },
    async ({ params: { client }, caller, may }) => {
      await getTenant(ctx, client);
      const page = { limit: COUNTED, after: null };
      const { approvals } = await listApprovals(ctx, { tenantId: client, open: true }, lookerOf(caller, may), page);
      return { waiting: approvals.filter(({ mayDecide }) => mayDecide).length };
    },
  ),
  endpoint(
    {
      method: "get",
      path: ONE,
      action: "approvals.read",
      tag: "approvals",
      summary: "One of them",
      answer: approvalView,
    },
    async ({ params: { client, approval }, caller, may }) => {
      const tenant = await getTenant(ctx, client);
      const row = await readApproval(ctx, { tenantId: client, id: approval }, lookerOf(caller, may));
      if (!row) throw new AppError("not_found", "There is nothing of this kind that you may see.");
      return viewApproval(row, await around(ctx, tenant, [row]));
    },
  ),
];

const decisionBody = z.object({
  verdict: z
    .enum(["approved", "declined", "always", "answered"])
    .openapi({ description: "`always`: also from now on in this room for this tool. `answered`: to a question." }),
  answer: words(4000, 0)
    .optional()
    .openapi({ description: "A reason, which the agent reads; the answer to a question." }),
});

const ACTIONS = {
  approved: "approvals.approve",
  always: "approvals.always",
  declined: "approvals.decline",
  answered: "approvals.answer",
} as const;

const deciding = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "post",
      path: `${ONE}/decide`,
      action: "approvals.decide",
      tag: "approvals",
      summary: "Allow it, refuse it, or answer; 409 when it was decided already or its time is over",
      body: decisionBody,
      answer: approvalView,
    },
    async ({ params: { client, approval }, body, caller, may, audit }) => {
      const tenant = await getTenant(ctx, client);
      const looker = lookerOf(caller, may);
      const which = { tenantId: client, id: approval };
      const asked = await readApproval(ctx, which, looker);
      if (!asked) throw new AppError("not_found", "There is nothing of this kind that you may decide.");
      if (caller.token)
        throw new AppError(
          "forbidden",
          "Only people decide this: open the panel, or react in the room. A token cannot.",
        );
      const answer = body.answer || null;
      const facts = await around(ctx, tenant, [asked]);
      const row = await decideInPanel(ctx, which, looker, { verdict: body.verdict, answer }).catch((error: unknown) => {
        throw error instanceof DecidedAlready
          ? new ConflictError(error.sentence, viewApproval(error.now, facts))
          : error;
      });
      const { name } = viewApproval(row, facts).tool;
      audit({
        action: ACTIONS[body.verdict],
        target: { kind: "approval", id: row.id, name: `${row.agentName}: ${name}` },
        after: { decision: body.verdict, tool: row.tool, room: row.roomId, run: row.runId },
      });
      return viewApproval(row, facts);
    },
  ),
];

const granted = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: GRANTS,
      action: "approvals.read",
      tag: "approvals",
      summary: "What agents may do in a room without asking again, newest first; members get what they granted",
      query: pageQuery,
      answer: pageOf(grantView),
    },
    async ({ params: { client }, query: { limit, cursor }, caller, may }) => {
      const tenant = await getTenant(ctx, client);
      const after = readMomentCursor(cursor);
      const only = may("tools.read") ? null : byline(caller);
      const rows = await listGrants(ctx, { tenantId: client, only }, { limit: limit + 1, after });
      const { tools } = await around(ctx, tenant, rows);
      return toPage(
        rows,
        limit,
        (row) => writeCursor(row.micros, row.id),
        (row) => viewGrant(row, tools),
      );
    },
  ),
  endpoint(
    {
      method: "delete",
      path: `${GRANTS}/{grant}`,
      action: "approvals.decide",
      auditAs: "approvals.revoke",
      tag: "approvals",
      summary: "Take a permission for always back: the next call is asked about again",
      answer: null,
    },
    async ({ params: { client, grant }, caller, may, audit }) => {
      await getTenant(ctx, client);
      const by = byline(caller);
      const only = may("approvals.decide_all") ? null : by;
      const before = await revokeGrant(ctx, { tenantId: client, id: grant, by, only });
      audit({ target: { kind: "grant", id: grant, name: before.tool }, before });
    },
  ),
];

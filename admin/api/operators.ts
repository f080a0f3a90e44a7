/** Accounts of those who run the platform. */
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { linkForOperator } from "../sign-in/first-operator.ts";
import {
  createOperator,
  getOperator,
  listOperators,
  type Operator,
  removeOperator,
  setOperatorState,
} from "../sign-in/operators.ts";
import type { Caller } from "./caller.ts";
import { type Endpoint, endpoint, moment, words, z } from "./endpoint.ts";
import { iso } from "./iso.ts";
import { pageOf, pageQuery, readCursor, toPage, writeCursor } from "./pages.ts";

export const operatorView = z
  .object({
    id: z.string(),
    name: z.string(),
    state: z.enum(["active", "disabled"]),
    hasPassword: z.boolean().openapi({ description: "False until the first sign-in by link." }),
    secondFactor: z.boolean(),
    lastSignInAt: moment.nullable(),
    createdAt: moment,
  })
  .openapi("Operator");
export type OperatorView = z.output<typeof operatorView>;

export const operatorLinkView = z
  .object({ url: z.string().openapi({ description: "Works once; shown this once." }), expiresAt: moment })
  .openapi("OperatorLink");
export type OperatorLinkView = z.output<typeof operatorLinkView>;

export const newOperatorView = z.object({ operator: operatorView, link: operatorLinkView }).openapi("NewOperator");
export type NewOperatorView = z.output<typeof newOperatorView>;

export const operatorEndpoints = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: "/operators",
      action: "operators.read",
      tag: "operators",
      summary: "Operators by name",
      query: pageQuery,
      answer: pageOf(operatorView),
    },
    async ({ query }) => {
      const after = readCursor(query.cursor, "string", "string");
      const rows = await listOperators(ctx, { limit: query.limit + 1, after });
      return toPage(rows, query.limit, (row) => writeCursor(row.name, row.id), shown);
    },
  ),
  endpoint(
    {
      method: "post",
      path: "/operators",
      action: "operators.write",
      auditAs: "operators.create",
      tag: "operators",
      summary: "Add an operator; a link lets them set a password",
      body: z.object({ name: words(64) }),
      answer: newOperatorView,
      status: 201,
      creates: true,
    },
    async ({ body, caller, audit }) => {
      notByToken(caller);
      const made = await createOperator(ctx, body);
      audit({ target: targetOf(made), after: { name: made.name } });
      const link = await linkForOperator(ctx, made.id, { createdBy: caller.name });
      return { operator: shown(made), link: { url: link.url, expiresAt: link.expiresAt.toISOString() } };
    },
  ),
  endpoint(
    {
      method: "patch",
      path: "/operators/{operator}",
      action: "operators.write",
      auditAs: "operators.set_state",
      tag: "operators",
      summary: "Disable or enable an operator; one who can sign in always remains",
      body: z.object({ state: z.enum(["active", "disabled"]) }),
      answer: operatorView,
    },
    async ({ params, body, audit }) => {
      const before = await getOperator(ctx, params.operator);
      const after = await setOperatorState(ctx, params.operator, body.state);
      audit({ target: targetOf(after), before: { state: before.state }, after: { state: after.state } });
      return shown(after);
    },
  ),
  endpoint(
    {
      method: "post",
      path: "/operators/{operator}/link",
      action: "operators.write",
      auditAs: "operators.link",
      tag: "operators",
      summary: "A new one-time link with which an operator sets a password; the links before end",
      body: z.object({
        resetSecondFactor: z
          .boolean()
          .default(false)
          .openapi({ description: "For a lost phone and lost recovery codes." }),
      }),
      answer: operatorLinkView,
      status: 201,
      creates: true,
    },
    async ({ params, body, caller, audit }) => {
      notByToken(caller);
      const operator = await getOperator(ctx, params.operator);
      audit({ target: targetOf(operator), after: { secondFactorReset: body.resetSecondFactor } });
      const { url, expiresAt } = await linkForOperator(ctx, operator.id, { ...body, createdBy: caller.name });
      return { url, expiresAt: expiresAt.toISOString() };
    },
  ),
  endpoint(
    {
      method: "delete",
      path: "/operators/{operator}",
      action: "operators.write",
      auditAs: "operators.remove",
      tag: "operators",
      summary: "Remove an operator with sessions, links and tokens; one who can sign in always remains",
      answer: null,
    },
    async ({ params, audit }) => {
      const before = await getOperator(ctx, params.operator);
      audit({ target: targetOf(before), before: { name: before.name, state: before.state } });
      await removeOperator(ctx, params.operator);
    },
  ),
];

/** Whoever has such a link becomes an operator with every right, whatever the token may. */
function notByToken({ token }: Caller): void {
  if (token) throw new AppError("forbidden", "Operators are let in from the panel only, not with an API token.");
}

const targetOf = ({ id, name }: Operator) => ({ kind: "operator", id, name });

const shown = ({ lastSignInAt, createdAt, ...operator }: Operator) => ({
  ...operator,
  lastSignInAt: iso(lastSignInAt),
  createdAt: iso(createdAt),
});

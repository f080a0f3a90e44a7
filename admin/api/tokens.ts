/** API tokens of one's own. */
import type { Context } from "../../core/context.ts";
import { type ApiToken, createToken, listTokens, revokeToken } from "../sign-in/tokens.ts";
import { type Endpoint, endpoint, moment, words, z } from "./endpoint.ts";
import { iso } from "./iso.ts";
import { pageOf, pageQuery, readCursor, toPage, writeCursor } from "./pages.ts";
import { accountOf } from "./session.ts";
import { newTokenView, tokenView } from "./session-views.ts";

export const tokenEndpoints = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: "/me/tokens",
      action: "signed_in",
      tag: "session",
      summary: "One's API tokens, newest first",
      query: pageQuery,
      answer: pageOf(tokenView),
    },
    async ({ caller, query }) => {
      const before = readCursor(query.cursor, "number", "string");
      const rows = await listTokens(ctx, accountOf(caller), { limit: query.limit + 1, before });
      return toPage(rows, query.limit, (row) => writeCursor(row.createdAt, row.id), shown);
    },
  ),
  endpoint(
    {
      method: "post",
      path: "/me/tokens",
      action: "signed_in",
      auditAs: "session.create_token",
      tag: "session",
      summary: "Make an API token; it is shown this once",
      body: z.object({
        name: words(64),
        scopes: z.array(z.string().max(64)).min(1, "Choose at least one thing that the token may do.").max(200),
        expiresAt: moment,
      }),
      answer: newTokenView,
      status: 201,
      creates: true,
    },
    async ({ caller, body, audit }) => {
      const wish = { ...body, expiresAt: new Date(body.expiresAt) };
      const made = await createToken(ctx, { account: accountOf(caller), role: caller.role }, wish);
      const { name, scopes } = made;
      audit({
        target: { kind: "api_token", id: made.id, name },
        after: { name, scopes, expiresAt: iso(made.expiresAt) },
      });
      return { ...shown(made), token: made.token };
    },
  ),
  endpoint(
    {
      method: "delete",
      path: "/me/tokens/{id}",
      action: "signed_in",
      auditAs: "session.revoke_token",
      tag: "session",
      summary: "Revoke an API token",
      answer: null,
    },
    async ({ caller, params, audit }) => {
      const name = await revokeToken(ctx, accountOf(caller), params.id);
      audit({ target: { kind: "api_token", id: params.id, name } });
    },
  ),
];

const shown = ({ expiresAt, lastUsedAt, createdAt, ...token }: ApiToken) => ({
  ...token,
  expiresAt: iso(expiresAt),
  lastUsedAt: iso(lastUsedAt),
  createdAt: iso(createdAt),
});

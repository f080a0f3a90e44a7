/** Signing in and out, links that work once, and who one is. */
import type { Context as Request } from "hono";
import type { Context } from "../../core/context.ts";
import { writeAudit } from "../audit.ts";
import { publicUrl } from "../public-url.ts";
import { ACTIONS, roleMay } from "../rights.ts";
import { describeLink, followLink } from "../sign-in/follow-link.ts";
import { signInTries } from "../sign-in/limits.ts";
import { notingRefusal, takeBackRefusal } from "../sign-in/refusals.ts";
import {
  type Account,
  clearSessionCookie,
  createSession,
  findSession,
  revokeSession,
  sessionToken,
  setSessionCookie,
} from "../sign-in/sessions.ts";
import { fullName, signIn } from "../sign-in/sign-in.ts";
import { refusedLink, refusedName, type Why, whyOf } from "../sign-in/tried.ts";
import { callerOfSession } from "../sign-in/who.ts";
import type { Caller } from "./caller.ts";
import { type Endpoint, endpoint, z } from "./endpoint.ts";
import { addressOf } from "./guard.ts";
import { iso } from "./iso.ts";
import { linkView, type Me, meView } from "./session-views.ts";

/** As they were typed: a space may belong to a password. */
export const passwordField = z.string().min(1, "Type a password.").max(512);
export const codeField = z.string().trim().min(1, "Type a code.").max(64);

export const sessionEndpoints = (ctx: Context): Endpoint[] => {
  const tries = signInTries(ctx);
  /** Tries of links are counted, and the refused ones noted. */
  const byLink = <T>(token: string, address: string, work: () => Promise<T>): Promise<T> =>
    notingRefusal(
      ctx,
      async (error) => {
        const refused = await refusedLink(ctx, token, error);
        return refused && { action: "session.link_refused", address, ...refused };
      },
      async () => {
        const taken = tries.take({ address, name: `link ${token}` });
        const result = await work();
        taken.forgive();
        return result;
      },
    );
  return [
    endpoint(
      {
        method: "post",
        path: "/sign-in",
        action: "public",
        auditAs: null, // written below: who signed in is known only then
        tag: "session",
        summary: "Sign in with a name and a password; sets the session's cookie",
        body: z.object({
          name: z.string().min(1, "Type a name.").max(300),
          password: passwordField,
          code: codeField.optional(),
        }),
        answer: meView,
      },
      async ({ body, http }) => {
        const address = addressOf(http);
        const refused = async (why: Why) =>
          ({ action: "session.sign_in_refused", address, ...(await refusedName(ctx, body.name, why)) }) as const;
        const who = await notingRefusal(
          ctx,
          async (error) => {
            const why = whyOf(error);
            return why && (await refused(why));
          },
          async () => {
            const taken = tries.take({ address, name: await fullName(ctx, body.name) });
            const right = await signIn(ctx, body);
            taken.forgive();
            return right;
          },
        );
        // The panel asks for the code once the password was right: that first half was no refusal.
        if (body.code) await takeBackRefusal(ctx, await refused("no_code"));
        const { kind, id, name, tenantId, account } = who;
        await writeAudit(ctx, {
          actor: { kind, id, name },
          tenantId,
          action: "session.sign_in",
          target: { kind, id, name },
          address,
        });
        return await open(ctx, http, account);
      },
    ),
    endpoint(
      {
        method: "get",
        path: "/links/{token}",
        action: "public",
        tag: "session",
        summary: "What a one-time link is for; does not use it",
        answer: linkView,
      },
      async ({ params, http }) => {
        const facts = await byLink(params.token, addressOf(http), () => describeLink(ctx, params.token));
        return { ...facts, expiresAt: iso(facts.expiresAt) };
      },
    ),
    endpoint(
      {
        method: "post",
        path: "/links/{token}",
        action: "public",
        auditAs: null, // written by followLink: the frame would keep the address, which holds the token
        tag: "session",
        summary: "Use a one-time link: set a password, sign in, or both",
        body: z.object({ password: passwordField.optional(), code: codeField.optional() }),
        answer: z.object({ me: meView.nullable().openapi({ description: "Null for a new Matrix password." }) }),
      },
      async ({ params, body, http }) => {
        const address = addressOf(http);
        const account = await byLink(params.token, address, () => followLink(ctx, params.token, { ...body, address }));
        return { me: account && (await open(ctx, http, account)) };
      },
    ),
    endpoint(
      {
        method: "post",
        path: "/sign-out",
        action: "public", // whose session is over already gets rid of the cookie too
        auditAs: null, // changes nothing but the caller's own session
        tag: "session",
        summary: "Sign out of this browser",
        answer: null,
      },
      async ({ caller, http }) => {
        if (caller?.sessionId) await revokeSession(ctx, accountOf(caller), caller.sessionId);
        await clearSessionCookie(ctx, http);
      },
    ),
    endpoint(
      { method: "get", path: "/me", action: "signed_in", tag: "session", summary: "Who is signed in", answer: meView },
      async ({ caller }) => await meOf(ctx, caller),
    ),
  ];
};

/** Always a new session: one that somebody else put into the browser ends. */
async function open(ctx: Context, http: Request, account: Account): Promise<Me> {
  const before = await sessionToken(ctx, http);
  const old = before ? await findSession(ctx, before) : null;
  if (old) await ctx.sql`update sessions set revoked_at = ${new Date(ctx.clock.now())} where id = ${old.id}`;
  const from = { userAgent: http.req.header("user-agent") ?? null, address: addressOf(http) };
  const session = await createSession(ctx, account, from);
  const caller = await callerOfSession(ctx, account, session.id);
  await setSessionCookie(ctx, http, session);
  return await meOf(ctx, caller);
}

export const accountOf = (caller: Pick<Caller, "kind" | "id" | "tenantId">): Account =>
  caller.kind === "operator" ? { operatorId: caller.id } : { tenantId: caller.tenantId ?? "", userId: caller.id };

async function meOf(ctx: Context, { kind, id, name, role, tenantId }: Caller): Promise<Me> {
  const [client = null] = tenantId
    ? await ctx.sql<{ id: string; title: string; serverName: string }[]>`
        select id, title, server_name as "serverName" from tenants where id = ${tenantId}`
    : [];
  const rights = ACTIONS.filter((action) => roleMay(role, action));
  return { kind, id, name, role, client, rights, panelUrl: `${await publicUrl(ctx)}/panel/` };
}

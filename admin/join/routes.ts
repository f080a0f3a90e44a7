import { getConnInfo } from "@hono/node-server/conninfo";
import { eq } from "drizzle-orm";
import { Hono, type Context as Request } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import { teams } from "../../migrations/schema.ts";
import { acceptInvite, FieldError, normalName, typedProblems, unknownLink } from "../accept-invite.ts";
import { linkIsOver } from "../invite-uses.ts";
import { findInvite, type InviteRow, inviteState } from "../invites.ts";
import { clientKey, rateLimit } from "../rate-limit.ts";
import { type JoinForm, sendForm, sendMessage } from "./page.ts";
import { placeOf } from "./place.ts";
import { sendWelcome } from "./welcome.ts";

const MAX_BODY = 16 * 1024;
const FORMS = /^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i;

/** What the pages need beside the context. */
export interface JoinDeps {
  /** Element Web is served now. */
  elementServed(): boolean;
}

/** `GET` and `POST /join/<token>`: the form, and what makes the account. `POST …/check`: what is wrong, as JSON. */
export function joinRoutes(ctx: Context, deps: JoinDeps): Hono {
  const app = new Hono();
  const limits = joinLimits(ctx);
  app.get("/join/:token", async (c) => {
    const link = await openLink(ctx, limits, c);
    const state = inviteState(link.invite, ctx.clock.now());
    if (state !== "open") throw linkIsOver(state);
    return sendForm(c, 200, link.form);
  });
  app.post("/join/:token", smallForm, async (c) => {
    const link = await openLink(ctx, limits, c);
    const typed = await readForm(c);
    limits.checkLink(c, link.invite);
    try {
      const made = await acceptInvite(ctx, { token: c.req.param("token"), ...typed });
      const place = await placeOf(ctx, link.invite, made.userId);
      return await sendWelcome(c, { ...link.tenant, ...made, elementServed: deps.elementServed(), place });
    } catch (error) {
      limits.countLink(c, link.invite);
      return sendTrouble(ctx, c, { ...link.form, username: typed.username.slice(0, 200) }, error);
    }
  });
  app.post("/join/:token/check", smallForm, async (c) => {
    const { invite, form } = await openLink(ctx, limits, c);
    const { username, password } = await readForm(c);
    c.header("cache-control", "no-store");
    const typed = { username: normalName(username), password };
    return c.json(await typedProblems(ctx, typed, invite, form.serverName));
  });
  app.all("/join/:token", (c) => {
    c.header("allow", "GET, POST");
    return sendMessage(c, 405, "That does not work", "An invite link is opened in a browser.");
  });
  return app;
}

const smallForm = bodyLimit({
  maxSize: MAX_BODY,
  onError: (c) => sendMessage(c, 413, "Too much", "That is too long for a user name and a password."),
});

/** Name and password as text; anything else than one of each is taken for an empty field. */
async function readForm(c: Request): Promise<{ username: string; password: string }> {
  if (!FORMS.test(c.req.header("content-type") ?? ""))
    throw new AppError("invalid", "Send the form of the invite page: the fields username and password.");
  const body = await c.req.parseBody().catch((cause: unknown) => {
    throw new AppError("invalid", "The form could not be read. Open the link again and fill it in once more.", {
      cause,
    });
  });
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return { username: text(body.username), password: text(body.password) };
}

/** The link's row and what its page shows. Throws `not_found`, `too_many` for an address that guesses. */
async function openLink(ctx: Context, limits: JoinLimits, c: Request) {
  limits.checkGuesses(c);
  const invite = await findInvite(ctx, c.req.param("token") ?? "");
  const row = invite && (await getTenant(ctx, invite.tenantId));
  if (!invite || !row || row.state === "removing") {
    limits.countGuess(c);
    throw unknownLink();
  }
  const [team] = invite.teamId ? await ctx.db.select().from(teams).where(eq(teams.id, invite.teamId)) : [];
  const { serverName, homeserverUrl, title: tenantTitle, id: tenantId } = row;
  const form: JoinForm = {
    tenantTitle,
    serverName,
    team: team?.name ?? null,
    onlyName: invite.username,
    username: "",
    problems: {},
  };
  return { invite, form, tenant: { tenantId, tenantTitle, serverName, homeserverUrl } };
}

/** The form again with what was wrong; for a link that is over, a page without it. */
function sendTrouble(ctx: Context, c: Request, form: JoinForm, error: unknown): Response | Promise<Response> {
  if (error instanceof FieldError)
    return sendForm(c, error.status as ContentfulStatusCode, { ...form, problems: error.problems });
  if (!(error instanceof AppError) || error.code === "gone" || error.code === "not_found") throw error;
  ctx.log.warn({ err: error, code: error.code }, "an invite link could not be accepted");
  return sendForm(c, error.status as ContentfulStatusCode, { ...form, trouble: troubleSentence(error) });
}

/** Whoever opens a link knows no addresses or tenants' short names: those sentences are for the operator's log. */
function troubleSentence(error: AppError): string {
  if (error.code === "homeserver_down" || error.code === "database_down")
    return "The chat server does not answer at the moment. Please send the same user name and password again in a minute.";
  if (error.code === "homeserver_refused")
    return "The chat server did not accept this. Please tell whoever sent you the link.";
  return error.sentence;
}

type JoinLimits = ReturnType<typeof joinLimits>;

/**
 * Guesses of links count by client address, before the link is looked up. Failed posts count by link and address, so that
 * nobody tries passwords there and nobody can close a link for the others; accounts that were made never count.
 */
function joinLimits(ctx: Context) {
  const now = () => ctx.clock.now();
  const guesses = rateLimit({ burst: 30, refillMs: 5_000, now });
  const failures = rateLimit({ burst: 60, refillMs: 5_000, now });
  const client = (c: Request) => clientKey(peerOf(c), c.req.header("x-forwarded-for"));
  const refuse = (c: Request, seconds: number) => {
    if (seconds === 0) return;
    c.header("retry-after", String(seconds));
    const time = seconds === 1 ? "a second" : `${seconds} seconds`;
    throw new AppError("too_many", `There were too many tries from your address. Please try again in ${time}.`);
  };
  return {
    checkGuesses: (c: Request) => refuse(c, guesses.wait(client(c))),
    countGuess: (c: Request) => guesses.count(client(c)),
    checkLink: (c: Request, invite: InviteRow) => refuse(c, failures.wait(`${invite.id} ${client(c)}`)),
    countLink: (c: Request, invite: InviteRow) => failures.count(`${invite.id} ${client(c)}`),
  };
}

/** Undefined where there is no connection, as when a test calls the app directly. */
function peerOf(c: Request): string | undefined {
  return c.env && "incoming" in (c.env as object) ? getConnInfo(c).remote.address : undefined;
}

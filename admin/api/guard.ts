/** What is asked of every request before its handler: where it comes from, who sends it, whether they may, what it holds. */
import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context as Request } from "hono";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { publicUrl } from "../public-url.ts";
import { clientKey } from "../rate-limit.ts";
import { decide } from "../rights.ts";
import { whoAsks } from "../sign-in/who.ts";
import type { Caller } from "./caller.ts";
import type { Endpoint } from "./endpoint.ts";

/** The caller, or null where strangers may. Throws `unauthorized`, `forbidden`, or `not_found` for another client's. */
export async function admit(ctx: Context, c: Request, endpoint: Endpoint): Promise<Caller | null> {
  const caller = await whoAsks(ctx, c, addressOf(c));
  if (caller?.token == null && endpoint.method !== "get") await sameOrigin(ctx, c, caller !== null);
  const { action } = endpoint;
  if (action === "public") return caller;
  if (!caller) throw new AppError("unauthorized", "You are not signed in, or no longer. Please sign in.");
  if (action === "signed_in") return signedIn(caller);
  const tenantId = endpoint.path.includes("{client}") ? (c.req.param("client") ?? "") : null;
  switch (decide(caller, action, tenantId)) {
    case "allow":
      return caller;
    case "elsewhere":
      throw new AppError("not_found", `There is no client "${tenantId}" here.`);
    case "not_allowed":
      throw new AppError("forbidden", notAllowed(caller));
  }
}

const notAllowed = (caller: Caller): string =>
  caller.token
    ? `The API token "${caller.token.name}" may not do this. Make one with the right for it.`
    : `Your role here is ${caller.role}, and that may not do this. Ask an owner of your company or the operator.`;

/** Tokens are for the work, not for the account: else a stolen one could make itself better ones. */
function signedIn(caller: Caller): Caller {
  if (caller.token) throw new AppError("forbidden", "This works in the panel only, not with an API token.");
  return caller;
}

/**
 * Cross-site request forgery: a browser says where a request comes from (Sec-Fetch-Site, Origin). SameSite cookies alone do not do, for
 * other ports of the same host count as the same site.
 */
async function sameOrigin(ctx: Context, c: Request, withCookie: boolean): Promise<void> {
  const site = c.req.header("sec-fetch-site");
  const origin = c.req.header("origin");
  const ours = new Set([`http://${c.req.header("host")}`, new URL(await publicUrl(ctx)).origin]);
  const known = site !== undefined || origin !== undefined;
  const fine = (site === undefined || site === "same-origin") && (origin === undefined || ours.has(origin));
  if (known ? fine : !withCookie) return;
  throw new AppError(
    "forbidden",
    "This request came from another page than Agentopia's. Open the panel and do it there.",
  );
}

/** Names in the path: short, and nothing that cannot be stored. */
export function readParams(c: Request, endpoint: Endpoint): Record<string, string> {
  const names = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");
  return Object.fromEntries(
    names.map((name) => {
      const value = c.req.param(name) ?? "";
      if (value === "" || value.length > 300 || isUnstorable(value))
        throw new AppError("not_found", "There is nothing at this address. Check that the whole address was copied.");
      return [name, value];
    }),
  );
}

/** Throws the zod error, or `invalid`. */
export function readQuery(c: Request, endpoint: Endpoint): unknown {
  const query = c.req.query();
  for (const [name, value] of Object.entries(query))
    if (isUnstorable(value) || isUnstorable(name))
      throw new AppError("invalid", "The address contains characters that cannot be stored. Leave them out.");
  return endpoint.query ? endpoint.query.parse(query) : {};
}

/** Throws the zod error, `invalid`, `too_large` as `invalid`. */
export async function readBody(c: Request, endpoint: Endpoint): Promise<unknown> {
  if (!endpoint.body) return undefined;
  const text = await c.req.text();
  if (text.trim() === "") return endpoint.body.parse({});
  if (!/^application\/json\b/i.test(c.req.header("content-type") ?? ""))
    throw new AppError("invalid", "Send the content as application/json.");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new AppError("invalid", "The content is no JSON.", { cause });
  }
  if (/\\u(0000|d[89a-f])|\0/i.test(text) && isUnstorable(flat(json)))
    throw new AppError("invalid", "The content contains characters that cannot be stored. Leave them out.");
  return endpoint.body.parse(json);
}

/** All texts of a value in one, its keys too. */
function flat(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return "";
  return Object.entries(value)
    .map(([key, item]) => `${key} ${flat(item)}`)
    .join(" ");
}

/** NUL and halves of surrogate pairs: Postgres refuses both. */
const isUnstorable = (text: string): boolean => text.includes("\0") || !text.isWellFormed();

/** The address that tries are counted by. */
export function addressOf(c: Request): string {
  const peer = c.env && "incoming" in (c.env as object) ? getConnInfo(c).remote.address : undefined;
  return clientKey(peer, c.req.header("x-forwarded-for"));
}

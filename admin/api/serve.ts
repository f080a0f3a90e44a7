/** Makes HTTP of the endpoints: one way in for the panel, for programs, and for nobody else. */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Hono, Context as Request } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { type Actor, beginAudit } from "../audit.ts";
import { decide } from "../rights.ts";
import type { Caller } from "./caller.ts";
import { type AuditEntry, type Call, type Endpoint, z } from "./endpoint.ts";
import { addressOf, admit, readBody, readParams, readQuery } from "./guard.ts";
import { type KeptAnswer, onceForKey } from "./idempotency.ts";
import { tellPanels } from "./live.ts";
import { describe } from "./openapi.ts";
import { plain, sendProblem } from "./problem.ts";
import { openStreams, type Streams } from "./streams.ts";

export const API = "/api/v1";

/** All endpoints under `/api/v1`, with their description at `/api/v1/openapi.json`. */
export function serveApi(ctx: Context, endpoints: readonly Endpoint[]): Hono {
  const app = new OpenAPIHono();
  const streams = openStreams();
  // What people typed is in these answers: no browser may take one for a page.
  app.use(`${API}/*`, async (c, next) => {
    await next();
    c.res.headers.set("x-content-type-options", "nosniff");
  });
  for (const endpoint of endpoints)
    app.on(
      endpoint.method.toUpperCase(),
      API + endpoint.path.replaceAll(/\{(\w+)\}/g, ":$1"),
      bodyLimit({ maxSize: endpoint.maxBody, onError: (c) => tooLarge(c, endpoint) }),
      (c) => answer(ctx, c, endpoint, streams),
    );
  const description = describe(endpoints);
  app.get(`${API}/openapi.json`, (c) => c.json(description, 200, { "cache-control": "no-cache" }));
  app.all(`${API}/*`, (c) => wrongWay(c, endpoints));
  app.onError((error, c) => sendProblem(ctx, c, error));
  return app as unknown as Hono;
}

function tooLarge(c: Request, { maxBody }: Endpoint): Response {
  const detail = `This is too large: at most ${Math.floor(maxBody / 1000)} kB are taken.`;
  return c.json(plain(413, "too_large", detail), 413, { "content-type": "application/problem+json" });
}

/** No endpoint: the address is unknown, or knows other methods. */
function wrongWay(c: Request, endpoints: readonly Endpoint[]): Response {
  const fits = (path: string) => new RegExp(`^${API}${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(c.req.path);
  const allowed = endpoints.filter(({ path }) => fits(path)).map(({ method }) => method.toUpperCase());
  const [status, detail] =
    allowed.length > 0
      ? ([405, `This address knows ${allowed.join(", ")} only.`] as const)
      : ([404, "There is nothing at this address of the API. /api/docs shows what there is."] as const);
  return c.json(plain(status, status === 405 ? "wrong_method" : "not_found", detail), status, {
    "content-type": "application/problem+json",
    ...(allowed.length > 0 ? { allow: allowed.join(", ") } : {}),
  });
}

async function answer(ctx: Context, c: Request, endpoint: Endpoint, streams: Streams): Promise<Response> {
  try {
    const caller = await admit(ctx, c, endpoint);
    const params = readParams(c, endpoint);
    const query = readQuery(c, endpoint);
    const raw = endpoint.creates ? await c.req.text() : "";
    const body = await readBody(c, endpoint);
    c.header("cache-control", "no-store");
    const client = params.client ?? null;
    const noted: { entry?: AuditEntry } = {};
    const call: Call<Record<string, string>, unknown, unknown, Caller | null> = {
      ctx,
      caller,
      params,
      query,
      body,
      may: (action) => caller !== null && decide(caller, action, client ?? caller.tenantId) === "allow",
      audit: (entry) => {
        noted.entry = entry;
      },
      http: c,
    };
    if (endpoint.answer === "stream")
      return streams.keep(
        accountKey(caller),
        () => stillMay(ctx, c, endpoint),
        (await endpoint.handle(call)) as Response,
      );
    if (endpoint.method === "get" && !endpoint.auditsReading)
      return await send(c, endpoint, await endpoint.handle(call));
    const change = () => audited(ctx, { endpoint, call, client, noted });
    if (!endpoint.creates) return await send(c, endpoint, await change());
    const who = {
      caller: accountKey(caller),
      key: c.req.header("idempotency-key"),
      request: `${c.req.method} ${c.req.path}\n${raw}`,
    };
    const kept = await onceForKey(ctx, who, async () => ({
      status: endpoint.status,
      body: checked(endpoint, await change()),
    }));
    return sendKept(c, kept);
  } catch (error) {
    return sendProblem(ctx, c, error);
  }
}

const accountKey = (caller: Caller | null): string =>
  caller ? `${caller.kind}:${caller.tenantId ?? ""}:${caller.id}` : "";

/** Whether whoever reads a stream would get it now. A database that is away says nothing about that. */
const stillMay = (ctx: Context, c: Request, endpoint: Endpoint): Promise<boolean> =>
  admit(ctx, c, endpoint).then(
    () => true,
    (error: unknown) => !(error instanceof AppError && error.status < 500),
  );

interface Changing {
  endpoint: Endpoint;
  call: Call<Record<string, string>, unknown, unknown, Caller | null>;
  client: string | null;
  noted: { entry?: AuditEntry };
}

/** The handler between the two writes of its line in the audit log; then open pages are told. */
async function audited(ctx: Context, { endpoint, call, client, noted }: Changing): Promise<unknown> {
  if (endpoint.auditAs === null) {
    const result = await endpoint.handle(call);
    if (call.caller) await told(ctx, endpoint, client);
    return result;
  }
  const line = await beginAudit(ctx, {
    actor: actorOf(call.caller),
    tenantId: client,
    action: endpoint.auditAs,
    target: targetOf(call.params, endpoint),
    after: call.body,
    address: addressOf(call.http),
  });
  try {
    const result = await endpoint.handle(call);
    await line.done(noted.entry ?? {});
    await told(ctx, endpoint, client);
    return result;
  } catch (error) {
    const refused = (error instanceof AppError && error.status < 500) || error instanceof z.ZodError;
    await (refused ? line.dropped() : line.failed()).catch((second: unknown) =>
      ctx.log.warn({ err: second }, "the audit log was not told how a change ended"),
    );
    throw error;
  }
}

/** What is told is told best effort: the change is made, and pages look again by themselves when they come back. */
const told = async (ctx: Context, { tag, method }: Endpoint, client: string | null) =>
  method !== "get" &&
  tellPanels(ctx, tag, client).catch((error: unknown) =>
    ctx.log.warn({ err: error }, "open pages were not told of a change"),
  );

/** A program acts under its token's name, on behalf of whoever made the token. */
function actorOf(caller: Caller | null): Actor {
  if (!caller) return { kind: "link", id: "-", name: "Somebody who is not signed in" };
  const name = caller.token ? `token "${caller.token.name}"` : caller.name;
  return { kind: caller.kind, id: caller.id, name, onBehalfOf: caller.token ? caller.name : null };
}

/** The last name in the path: `agents/{agent}` is about an agent. */
function targetOf(params: Record<string, string>, { path, tag }: Endpoint): AuditEntry["target"] {
  const last = Object.entries(params).at(-1);
  return last ? { kind: last[0], id: last[1] } : { kind: tag, id: path };
}

function checked({ answer: schema }: Endpoint, result: unknown): unknown {
  if (schema === null || schema === "stream" || schema === "file") return null;
  const parsed = schema.safeParse(result);
  // A zod error would be taken for the caller's fault.
  if (!parsed.success) throw new Error(`An answer is not as it is described: ${parsed.error.message}`);
  return parsed.data;
}

async function send(c: Request, endpoint: Endpoint, result: unknown): Promise<Response> {
  if (endpoint.answer === "stream" || endpoint.answer === "file") return result as Response;
  return sendKept(c, { status: endpoint.status, body: checked(endpoint, result) });
}

function sendKept(c: Request, { status, body }: KeptAnswer): Response {
  if (status === 204) return c.body(null, 204);
  return c.json(body, status as ContentfulStatusCode);
}

import { Hono, type Context as Request } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Context } from "../core/context.ts";
import { isTransient } from "../core/database.ts";
import { AppError, sentenceOf } from "../core/errors.ts";
import { type ElementWeb, elementRoutes } from "../element-config/web.ts";
import { wellKnownRoutes } from "../element-config/well-known.ts";
import { sendMessage } from "./join/page.ts";
import { joinRoutes } from "./join/routes.ts";
import { panelRoutes } from "./panel.ts";

export interface PublicDeps {
  /** From `openElementWeb(ctx)`; without it people are told about the other Element apps. */
  element?: Pick<ElementWeb, "folder"> | undefined;
  /** The API: `serveApi`. */
  api?: Hono;
  /** Folder of the panel's build, where it is not the usual one. */
  panel?: string;
}

/** Everything that people's browsers and apps ask of the platform: one app for the public listener. */
export function publicRoutes(ctx: Context, deps: PublicDeps = {}): Hono {
  const element = deps.element ?? { folder: () => undefined };
  const app = new Hono();
  app.get("/", (c) => c.redirect("/panel/"));
  app.get("/healthz", (c) => health(ctx, c));
  if (deps.api) app.route("/", deps.api);
  app.route("/", panelRoutes(deps.panel));
  app.route("/", wellKnownRoutes(ctx));
  app.route("/", joinRoutes(ctx, { elementServed: () => element.folder() !== undefined }));
  app.route("/", elementRoutes(ctx, element));
  app.notFound((c) =>
    sendMessage(c, 404, "Nothing here", "There is no page at this address. Check that the whole address was copied."),
  );
  app.onError((error, c) => failed(ctx, error, c));
  return app;
}

/** 200 while the database answers; a probe that waits longer than 2 s would be no better than a failing one. */
async function health(ctx: Context, c: Request): Promise<Response> {
  c.header("cache-control", "no-store");
  const late = AbortSignal.timeout(2_000);
  try {
    await Promise.race([
      ctx.sql`select 1`,
      new Promise((_, reject) => late.addEventListener("abort", () => reject(late.reason), { once: true })),
    ]);
    return c.json({ ok: true, database: "ok" });
  } catch (error) {
    ctx.log.warn({ err: error }, "the database does not answer");
    return c.json({ ok: false, database: "does not answer" }, 503);
  }
}

const TITLES: Record<number, string> = {
  400: "That did not work",
  404: "This link does not exist",
  410: "This link is over",
  429: "One moment",
};

function failed(ctx: Context, error: unknown, c: Request): Response | Promise<Response> {
  if (error instanceof AppError && error.status < 500) {
    const status = error.status as ContentfulStatusCode;
    return sendMessage(c, status, TITLES[status] ?? "That did not work", error.sentence);
  }
  ctx.log.error({ err: error, method: c.req.method, route: c.req.path.split("/")[1] }, "a public page failed");
  if (isTransient(error))
    return sendMessage(c, 503, "One moment", "Agentopia cannot reach its database now. Please try again in a minute.");
  return sendMessage(c, 500, "Something went wrong", sentenceOf(error));
}

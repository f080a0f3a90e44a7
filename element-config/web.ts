import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { Hono, type Context as Request } from "hono";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { elementConfig } from "./config-json.ts";
import { fetchRelease, wantedRelease } from "./release.ts";
import { tenantOfPath } from "./well-known.ts";

/** Element Web as this platform has it: a folder, or none (yet). */
export interface ElementWeb {
  /** Folder with `index.html`; undefined while or because there is none. */
  folder(): string | undefined;
  /** Ends when fetching has ended, one way or the other. */
  ready: Promise<void>;
  stop(): void;
}

/** Takes the folder that the operator named, or fetches the release once, in the background. Failing is said in the log only. */
export function openElementWeb(ctx: Pick<Context, "config" | "log">): ElementWeb {
  let folder = ctx.config.elementWeb;
  const release = folder ? undefined : wantedRelease(ctx.config);
  const abort = new AbortController();
  const ready = !release
    ? Promise.resolve()
    : fetchRelease(ctx.config.home, release, { signal: abort.signal }).then(
        (path) => {
          folder = path;
          ctx.log.info({ folder }, "Element Web is served from here");
        },
        (error: unknown) => {
          if (abort.signal.aborted) return;
          const sentence = error instanceof AppError ? error.sentence : "Element Web could not be unpacked.";
          ctx.log.warn({ err: error }, `${sentence} People get told how to use app.element.io and Element Desktop.`);
        },
      );
  return { folder: () => folder, ready, stop: () => abort.abort() };
}

/** Element Web under `/element/<tenant>/`, opened on that tenant's homeserver. */
export function elementRoutes(ctx: Context, web: Pick<ElementWeb, "folder">): Hono {
  const app = new Hono();
  // `./config.json` and `./bundles/…` are asked for relative to the address, so it has to end with a slash.
  app.get("/element/:tenant", async (c) => {
    const tenant = await tenantOfPath(ctx, c.req.param("tenant"));
    return tenant ? c.redirect(`/element/${tenant.id}/`) : c.notFound();
  });
  app.get("/element/:tenant/*", async (c) => {
    const tenant = await tenantOfPath(ctx, c.req.param("tenant"));
    const folder = web.folder();
    if (!tenant || !folder) return c.notFound();
    const inside = fileInAddress(c.req.path, tenant.id);
    if (inside === undefined) return c.notFound();
    if (inside === "config.json") {
      c.header("cache-control", "no-cache");
      return c.json(elementConfig(tenant));
    }
    return serveFile(c, folder, inside);
  });
  return app;
}

/** The file's path within the folder; undefined for what is not a plain path downwards. */
export function fileInAddress(address: string, tenantId: string): string | undefined {
  let inside: string;
  try {
    inside = decodeURIComponent(address.slice(`/element/${tenantId}/`.length));
  } catch {
    return undefined; // not UTF-8
  }
  if (inside === "") return "index.html";
  const parts = inside.split("/");
  const plain = parts.every((part) => part !== "" && !part.startsWith(".") && !/[\\\0]/.test(part));
  return plain ? inside : undefined;
}

async function serveFile(c: Request, folder: string, inside: string): Promise<Response> {
  const root = await realpath(folder);
  const file = await realpath(path.join(root, inside)).catch((error: NodeJS.ErrnoException) => {
    if (["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP"].includes(error.code ?? "")) return undefined;
    throw error;
  });
  // A link inside the folder must not lead out of it.
  if (!file?.startsWith(root + path.sep)) return c.notFound();
  const info = await stat(file);
  if (!info.isFile()) return c.notFound();
  const etag = `"${info.size.toString(36)}-${Math.trunc(info.mtimeMs).toString(36)}"`;
  const headers: Record<string, string> = {
    "content-type": CONTENT_TYPES[path.extname(file).toLowerCase()] ?? "application/octet-stream",
    // Element's bundles have their hash in their name; all else must be asked for again, or an update is not seen.
    "cache-control": inside.startsWith("bundles/") ? "public, max-age=31536000, immutable" : "no-cache",
    etag,
    // What Element's install guide asks for; its page carries the rest of its policy itself.
    "content-security-policy": "frame-ancestors 'self'",
    "x-frame-options": "SAMEORIGIN",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
  };
  if (c.req.header("if-none-match") === etag) return c.body(null, 304, headers);
  headers["content-length"] = String(info.size);
  if (c.req.method === "HEAD") return c.body(null, 200, headers);
  return c.body(Readable.toWeb(createReadStream(file)) as ReadableStream, 200, headers);
}

const CONTENT_TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
  ".md": "text/plain; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".ico": "image/x-icon",
  ".woff": "font/woff",
  ".woff2": "font/woff2",
  ".ttf": "font/ttf",
  ".otf": "font/otf",
  ".mp3": "audio/mpeg",
  ".ogg": "audio/ogg",
  ".mp4": "video/mp4",
  ".pdf": "application/pdf",
};

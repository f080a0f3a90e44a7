/** Serves the panel's build: pages under a strict policy and kept by nobody, files with their hash in the name and kept for ever. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { Hono, type Context as Request } from "hono";
import { ROOT } from "../core/config.ts";
import { sendMessage } from "./join/page.ts";

/** Where setup.mjs puts it. */
const BUILD = path.join(ROOT, ".runtime/panel");

/** `/panel/` and below, and the API's description at `/api/docs`. `build` is the folder that Vite made. */
export function panelRoutes(build: string = BUILD): Hono {
  const app = new Hono();
  app.get("/panel", (c) => c.redirect("/panel/"));
  app.get("/panel/assets/:file", (c) => sendAsset(c, build, c.req.param("file")));
  app.get("/panel/*", (c) => sendIndex(c, build, "index.html"));
  app.get("/api/docs", (c) => sendIndex(c, build, "docs.html"));
  return app;
}

/** Every address of the panel is the same page; what stands there is decided in the browser. */
async function sendIndex(c: Request, build: string, page: "index.html" | "docs.html"): Promise<Response> {
  const html = await fileOf(build, page);
  if (html === undefined)
    return sendMessage(
      c,
      503,
      "The panel is not built",
      "Run “npm run panel” in Agentopia's folder, then load this page again.",
    );
  const nonce = randomBytes(16).toString("base64");
  return c.body(html.toString("utf8").replaceAll("{{nonce}}", nonce), 200, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": policy(nonce),
    "cross-origin-opener-policy": "same-origin",
    // Tokens of links stand in addresses.
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex",
  });
}

const policy = (nonce: string) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");

/** What the build made compressed, by what browsers take, the smallest first. */
const ENCODINGS = [
  ["br", ".br"],
  ["gzip", ".gz"],
] as const;

async function sendAsset(c: Request, build: string, file: string): Promise<Response> {
  const type = CONTENT_TYPES[path.extname(file)];
  // Vite's names have no more than this in them; nothing leads out of the folder.
  if (!/^[\w-][\w.-]*$/.test(file) || type === undefined) return c.notFound();
  const taken = c.req.header("accept-encoding") ?? "";
  const encoding = ENCODINGS.find(([name]) => new RegExp(`\\b${name}\\b(?!;\\s*q=0(?:\\.0+)?\\s*(?:,|$))`).test(taken));
  const squeezed = encoding && (await fileOf(build, `assets/${file}${encoding[1]}`));
  const bytes = squeezed ?? (await fileOf(build, `assets/${file}`));
  if (bytes === undefined) return c.notFound();
  return c.body(bytes, 200, {
    "content-type": type,
    "cache-control": "public, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    vary: "accept-encoding",
    ...(squeezed && encoding ? { "content-encoding": encoding[0] } : {}),
  });
}

async function fileOf(build: string, file: string): Promise<Buffer<ArrayBuffer> | undefined> {
  try {
    return await readFile(path.join(build, file));
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

const CONTENT_TYPES: Record<string, string> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
};

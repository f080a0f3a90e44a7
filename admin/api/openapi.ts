/** The description of the API (OpenAPI 3.1), made from the same schemas that check it. */
import { createRoute, OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import { RIGHTS } from "../rights.ts";
import { type Endpoint, z } from "./endpoint.ts";
import { problem } from "./problem.ts";

/** What goes to /api/v1/openapi.json. */
export function describe(endpoints: readonly Endpoint[]) {
  const app = new OpenAPIHono();
  const registry = app.openAPIRegistry;
  registry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    description: "An API token (`agt_…`), made in the panel under Account. It acts for whoever made it.",
  });
  for (const endpoint of endpoints) registry.registerPath(routeOf(endpoint));
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Agentopia",
      version: "1",
      description: [
        "Everything that the panel does, for programs too.",
        "Errors are problem+json (RFC 9457) with a sentence for people in `detail`.",
        "Lists come in pages: give a page's `next` as `cursor` to get the one after it.",
        "An `Idempotency-Key` header on a creation makes the same request, sent twice, create once.",
      ].join("\n\n"),
    },
    servers: [{ url: "/api/v1" }],
  });
}

function routeOf(endpoint: Endpoint): RouteConfig {
  const { method, path, action, tag, summary, query, body, takesFile, creates } = endpoint;
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");
  const params = names.length > 0 ? z.object(Object.fromEntries(names.map((name) => [name, param]))) : undefined;
  const headers = creates ? z.object({ "Idempotency-Key": z.string().max(200).optional() }) : undefined;
  return createRoute({
    method,
    path,
    operationId: `${method}_${path
      .replaceAll(/[{}]/g, "")
      .replaceAll(/[^a-z0-9]+/gi, "_")
      .replaceAll(/^_|_$/g, "")}`,
    tags: [tag],
    summary,
    description: whoMay(action),
    ...(action === "public" ? {} : { security: [{ token: [] }] }),
    request: {
      ...(params ? { params } : {}),
      ...(query ? { query: query as never } : {}),
      ...(headers ? { headers } : {}),
      ...(body ? { body: { required: true, content: { "application/json": { schema: body as never } } } } : {}),
      ...(takesFile ? { body: { required: true, content: { "application/octet-stream": { schema: FILE } } } } : {}),
    },
    responses: { [endpoint.status]: answerOf(endpoint), default: FAILED },
  });
}

const param = z.string().min(1).max(300);

const FILE = z.string().openapi({ format: "binary" });

const FAILED = {
  description: "Refused or failed; `detail` says why and what to do.",
  content: { "application/problem+json": { schema: problem } },
};

function answerOf({ answer }: Endpoint): RouteConfig["responses"][string] {
  if (answer === null) return { description: "Done." };
  if (answer === "stream")
    return { description: "Server-sent events.", content: { "text/event-stream": { schema: z.string() } } };
  if (answer === "file") return { description: "The file.", content: { "*/*": { schema: z.string() } } };
  return { description: "Done.", content: { "application/json": { schema: answer as never } } };
}

function whoMay(action: Endpoint["action"]): string {
  if (action === "public") return "Open to everybody.";
  if (action === "signed_in") return "For whoever is signed in, about themselves; not with an API token.";
  return `Right \`${action}\`: ${RIGHTS[action].join(", ")}.`;
}

/** The API over a test's own database, asked as whoever the test wants to be. No network. */
import { onTestFinished } from "vitest";
import { allEndpoints } from "../../admin/api/list.ts";
import { serveApi } from "../../admin/api/serve.ts";
import type { Role } from "../../admin/rights.ts";
import { createSession } from "../../admin/sign-in/sessions.ts";
import type { Context } from "../../core/context.ts";
import { newId } from "../../core/ids.ts";
import { openWake } from "../../core/wake.ts";

export interface Answer {
  status: number;
  /** The parsed body; the text where it is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it freely
  json: any;
  headers: Headers;
}

export interface Asking {
  (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The operator's id or the person's user id. */
  id: string;
  /** The same request for `app.request`, where the answer is looked at by hand. */
  init(method: string, body?: unknown, headers?: Record<string, string>): RequestInit;
}

export interface Api {
  /** Asks as a stranger. */
  stranger: Asking;
  operator(name?: string): Promise<Asking>;
  /** Asks as a person of a client with a role; makes the role's row. */
  person(tenantId: string, role: Exclude<Role, "operator">, userId?: string): Promise<Asking>;
  /** The app, for requests made by hand (streams, cookies). */
  app: ReturnType<typeof serveApi>;
  /** The cookie of a session, as a header's value. */
  cookie(account: { operatorId: string } | { tenantId: string; userId: string }): Promise<string>;
}

/** The whole API over `ctx`. */
export function apiFor(ctx: Context): Api {
  const wake = openWake(ctx.databaseUrl, ctx.log);
  onTestFinished(() => wake.close());
  const app = serveApi(ctx, allEndpoints(ctx, { wake, elementServed: () => false }));
  const cookie: Api["cookie"] = async (account) => {
    const { token } = await createSession(ctx, account, { userAgent: "test", address: null });
    const { publicUrl } = await import("../../admin/public-url.ts");
    const { port, protocol } = new URL(await publicUrl(ctx));
    return `${protocol === "https:" ? "__Host-" : ""}agentopia_${port || "session"}=${token}`;
  };
  const asking = (id: string, header: string | null): Asking => {
    const init: Asking["init"] = (method, body, headers = {}) => ({
      method,
      headers: {
        ...(header ? { cookie: header, "sec-fetch-site": "same-origin" } : {}),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const ask = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
      const response = await app.request(`/api/v1${path}`, init(method, body, headers));
      const text = await response.text();
      const isJson = /json/.test(response.headers.get("content-type") ?? "");
      return { status: response.status, json: isJson ? JSON.parse(text) : text, headers: response.headers };
    };
    return Object.assign(ask, { id, init });
  };
  return {
    app,
    cookie,
    stranger: asking("", null),
    async operator(name = "admin") {
      const id = newId();
      await ctx.sql`insert into operators (id, name) values (${id}, ${name}) on conflict do nothing`;
      const [row] = await ctx.sql<{ id: string }[]>`select id from operators where name = ${name}`;
      return asking(row?.id ?? id, await cookie({ operatorId: row?.id ?? id }));
    },
    async person(tenantId, role, userId) {
      const [tenant] = await ctx.sql<
        { server: string }[]
      >`select server_name as server from tenants where id = ${tenantId}`;
      const id = userId ?? `@${role}:${tenant?.server}`;
      await ctx.sql`insert into tenant_roles (tenant_id, user_id, role) values (${tenantId}, ${id}, ${role})
        on conflict (tenant_id, user_id) do update set role = excluded.role`;
      return asking(id, await cookie({ tenantId, userId: id }));
    },
  };
}

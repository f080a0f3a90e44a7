/** No 5xx for any input: schemathesis against the platform with its homeserver, as an operator's token and as an operator's browser. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { ACTIONS } from "../../admin/rights.ts";
import { createSession } from "../../admin/sign-in/sessions.ts";
import { hashToken, newToken } from "../../core/ids.ts";
import { fuzz, installSchemathesis } from "../harness/schemathesis.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "e2e-api-fuzz" });

interface Operation {
  operationId: string;
  security?: unknown[];
  description?: string;
  parameters?: { name: string; in: string; schema: object }[];
  responses: Record<string, { content?: Record<string, unknown> }>;
}
interface Description {
  paths: Record<string, Record<string, Operation>>;
}

/** They would end what the test works with, if they hit it; other tests do that on purpose. */
const ENDS_THINGS =
  /^(delete_clients_client|post_clients_client_(start|stop|restart)|post_sign_out|delete_me_sessions.*)$/;

beforeAll(async () => {
  await installSchemathesis();
}, 240_000);

/** The description without what streams and what `keep` does not want; where a client is named, it is the demo client, mostly. */
async function description(keep: (operation: Operation) => boolean): Promise<Description> {
  const all = (await (await fetch(`${shared.platform.url}/api/v1/openapi.json`)).json()) as Description;
  for (const [address, operations] of Object.entries(all.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const streams = JSON.stringify(operation.responses).includes("text/event-stream");
      if (streams || ENDS_THINGS.test(operation.operationId) || !keep(operation)) delete operations[method];
      for (const parameter of operation.parameters ?? [])
        if (parameter.in === "path" && parameter.name === "client")
          parameter.schema = { type: "string", enum: ["demo"] };
    }
    if (Object.keys(operations).length === 0) delete all.paths[address];
  }
  return all;
}

const aboutOneself = ({ description }: Operation) => /not with an API token/.test(description ?? "");

function workFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "agentopia-fuzz-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function operator(): Promise<string> {
  const { ctx } = shared.platform;
  await ctx.sql`insert into operators (id, name) values ('fuzz', 'fuzz') on conflict do nothing`;
  return "fuzz";
}

test("as an operator's token: no fault for any input, and every answer as described", {
  timeout: 300_000,
}, async () => {
  const { ctx, url } = shared.platform;
  const token = `agt_${newToken()}`;
  await ctx.sql`insert into api_tokens (id, name, token_hash, operator_id, scopes, expires_at)
    values ('fuzz', 'fuzz', ${hashToken(token)}, ${await operator()}, ${ctx.sql.json([...ACTIONS])}, now() + interval '1 day')`;
  const schema = await description((operation) => !aboutOneself(operation));
  expect(Object.keys(schema.paths).length).toBeGreaterThan(20);
  const { ok, cases, output } = await fuzz({
    schema,
    url: `${url}/api/v1`,
    headers: { authorization: `Bearer ${token}` },
    folder: workFolder(),
    examples: 8,
  });
  expect(ok, output).toBe(true);
  expect(cases).toBeGreaterThan(2000);
});

test("as an operator's browser, about the own account", { timeout: 200_000 }, async () => {
  const { ctx, url } = shared.platform;
  const session = await createSession(ctx, { operatorId: await operator() }, { userAgent: "fuzz", address: null });
  const schema = await description(aboutOneself);
  expect(Object.keys(schema.paths).length).toBeGreaterThan(2);
  const { ok, cases, output } = await fuzz({
    schema,
    url: `${url}/api/v1`,
    headers: { cookie: `agentopia_${new URL(url).port}=${session.token}`, origin: url },
    folder: workFolder(),
    examples: 8,
  });
  expect(ok, output).toBe(true);
  expect(cases).toBeGreaterThan(200);
});

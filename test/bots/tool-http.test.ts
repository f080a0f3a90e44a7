import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { httpCall, makeHttpCall } from "../../bots/tools/builtin/http-call.ts";
import { putToolSecret } from "../../bots/tools/settings.ts";
import { OutcomeUnknown } from "../../bots/tools/tool.ts";
import type { Address } from "../../core/addresses.ts";
import { loadConfig } from "../../core/config.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { testContext } from "../harness/postgres.ts";
import { lookup, REFUSED } from "../unit/refused-addresses.ts";
import { ALICE, makeTenant, TENANT } from "./tenant.ts";
import { callTool, closedPort, failing, serve } from "./tool-call.ts";

const SECRET = 'Bearer sk-Unlike/ly+"42"&<x>';

/** Calls without a secret need no database. */
const caller = (...allow: string[]) =>
  ({ config: loadConfig({ AGENTOPIA_ALLOW_HOSTS: allow.join(",") }) }) as unknown as Context;

async function withSecret(host: string, hosts = [host]) {
  const ctx = await testContext({ env: { AGENTOPIA_ALLOW_HOSTS: [host, "other.test"].join(",") } });
  await makeTenant(ctx);
  await putToolSecret(ctx, TENANT, { name: "crm", header: "Authorization", hosts, secret: SECRET, by: ALICE });
  return ctx;
}

test.each(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])(
  "%s reaches the address with its headers and body",
  async (method) => {
    const server = await serve((_request, response) =>
      response.writeHead(201, { "content-type": "application/json", etag: '"1"' }).end('{"ok":true}'),
    );
    const body = method === "GET" || method === "HEAD" ? {} : { body: "a=ä" };
    const headers = { "Content-Type": "text/plain", "X-Trace": "1" };
    const args = { method, url: `${server.url}/v1?x=1`, headers, ...body };
    const { text, untrusted } = await callTool(caller(server.host), httpCall, args);
    expect(text).toBe(
      `HTTP 201\ncontent-type: application/json\netag: "1"\n\n${method === "HEAD" ? "" : '{"ok":true}'}`,
    );
    expect(untrusted).toBe(`the answer of ${server.url}/v1?x=1`);
    expect(server.seen).toHaveLength(1);
    expect(server.seen[0]).toMatchObject({ method, url: "/v1?x=1", body: body.body ?? "" });
    expect(server.seen[0]?.headers).toMatchObject({ "content-type": "text/plain", "x-trace": "1" });
  },
);

test.each(["TRACE", "CONNECT", "OPTIONS", "get\r\nX: y", "FOO"])(
  "the method %j is none of the tool's",
  async (method) => {
    const server = await serve((_request, response) => response.end());
    const call = { args: { method, url: server.url } };
    await failing(callTool(caller(server.host), { ...httpCall, input: {} }, call.args));
    expect(server.seen).toEqual([]);
  },
);

test.each([
  ["Host", "elsewhere.test"],
  ["Authorization", "Bearer made-up"],
  ["cookie", "session=1"],
  ["Proxy-Authorization", "x"],
  ["Connection", "upgrade"],
  ["Transfer-Encoding", "chunked"],
  ["Content-Length", "5"],
  ["X-Forwarded-For", "127.0.0.1"],
  ["X-HTTP-Method-Override", "DELETE"],
  ["Sec-Fetch-Site", "none"],
  ["X-A", "b\r\nX-Evil: 1"],
  ["X-A", "b\nX-Evil: 1"],
  ["X-A", "b\u0000"],
  ["X-A", "b\u2028c"],
  ["X-A\r\nX-Evil", "1"],
  ["X A", "1"],
  ["X-A:", "1"],
  ["", "1"],
])("a header %j: %j is refused, and nothing is sent", async (name, value) => {
  const server = await serve((_request, response) => response.end());
  const error = await failing(callTool(caller(server.host), httpCall, { url: server.url, headers: { [name]: value } }));
  expect(error).toBeInstanceOf(AppError);
  expect(error.message).toMatch(/^The header “.*Nothing was sent\.$/);
  expect(server.seen).toEqual([]);
});

test.each(["http://example.org/\r\nX-Evil: 1", "http://example.org/ HTTP/1.1", "http://exam\tple.org/"])(
  "an address that could end a line is refused: %j",
  async (url) => {
    const error = await failing(callTool(caller(), httpCall, { url }));
    expect(error.message).toBe("An address is one line without spaces. Write it anew.");
    expect(httpCall.sentence({ url, body: "a\nb", method: "POST\n" })).not.toMatch(/[\r\n]/);
  },
);

test("a secret goes into its header, to its hosts, and never comes back, however the server sends it", async () => {
  const credential = SECRET.slice("Bearer ".length);
  const echoes = (header: string) => [
    header,
    JSON.stringify({ header }),
    JSON.stringify({ header }).replaceAll("/", "\\/"),
    encodeURIComponent(header),
    Buffer.from(header).toString("base64"),
    Buffer.from(credential).toString("base64url"),
    Buffer.from(credential).toString("hex"),
    header.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;"),
    credential,
  ];
  const server = await serve((request, response) => {
    const sent = request.headers.authorization ?? "";
    response.setHeader("content-type", "text/plain").setHeader("link", `<${sent}>`).end(echoes(sent).join("\n"));
  });
  const ctx = await withSecret(server.host);
  const { text } = await callTool(ctx, httpCall, { url: server.url, secret: "crm" });
  expect(server.seen[0]?.headers.authorization).toBe(SECRET);
  for (const form of echoes(SECRET)) expect(text).not.toContain(form);
  expect(text).not.toContain("sk-Un");
  expect(text.match(/\[secret\]/g)?.length).toBeGreaterThan(8);
});

test("half a secret at the place where an answer is cut is not told either", async () => {
  const server = await serve((request, response) =>
    response
      .setHeader("content-type", "text/plain")
      .end("x".repeat(999_990) + request.headers.authorization + "y".repeat(100_000)),
  );
  const ctx = await withSecret(server.host);
  const { text } = await callTool(ctx, httpCall, { url: server.url, secret: "crm" }, { maxChars: 2_000_000 });
  expect(text).not.toContain("Bearer");
  expect(text).toMatch(/\[The answer goes on; only its beginning was read\.\]$/);
});

test("half a secret at the place where a header is cut, and one whose spaces a line puts together, are not told", async () => {
  const spaced = "Token two  spaces-and-more-of-it-to-see";
  const server = await serve((request, response) => {
    const secret = String(request.headers.authorization);
    const location = `https://api.test/${"x".repeat(960)}${encodeURIComponent(secret)}`;
    response.writeHead(302, { location, etag: `"${secret}"` }).end();
  });
  const ctx = await testContext({ env: { AGENTOPIA_ALLOW_HOSTS: server.host } });
  await makeTenant(ctx);
  const wish = { name: "crm", header: "Authorization", hosts: [server.host], secret: spaced, by: ALICE };
  await putToolSecret(ctx, TENANT, wish);
  const { text } = await callTool(ctx, httpCall, { url: server.url, secret: "crm" });
  expect(text).not.toMatch(/two.{1,6}spaces/);
});

test("a secret goes to no other host, not over http, and not under another's name", async () => {
  const server = await serve((_request, response) => response.end("hello"));
  const ctx = await withSecret(server.host, ["api.test", server.host]);
  const tell = async (args: Record<string, unknown>) =>
    (await failing(callTool(ctx, makeHttpCall({ lookup }), args))).message;
  expect(await tell({ url: "https://evil.test/", secret: "crm" })).toMatch(/“crm” may not go to evil\.test/);
  expect(await tell({ url: "https://api.test.evil.test/", secret: "crm" })).toMatch(/may not go to/);
  expect(await tell({ url: "https://api.test:8443/", secret: "crm" })).toMatch(/may not go to api\.test:8443/);
  expect(await tell({ url: "https://api.test@evil.test/", secret: "crm" })).toMatch(/may not go to evil\.test/);
  expect(await tell({ url: "http://api.test/", secret: "crm" })).toMatch(/over https only/);
  expect(await tell({ url: server.url, secret: "nope" })).toMatch(/no secret with that name/);
  expect(await tell({ url: server.url, secret: "crm", headers: { authorization: "x" } })).toMatch(/that of the secret/);
  await ctx.sql`insert into tool_secrets (tenant_id, name, value, header, hosts, created_by)
    select tenant_id, 'copy', value, header, hosts, created_by from tool_secrets where name = 'crm'`;
  await failing(callTool(ctx, httpCall, { url: server.url, secret: "copy" }));
  expect(server.seen).toEqual([]);
});

test("no failure and no log tells the secret", async () => {
  const server = await serve((_request, response) => response.destroy());
  const ctx = await withSecret(server.host);
  const error = await failing(callTool(ctx, httpCall, { url: server.url, secret: "crm" }));
  const { inspect } = await import("node:util");
  expect(inspect(error, { depth: 20 })).not.toContain("sk-Un");
});

test("a redirect is told, not followed, and takes no secret with it", async () => {
  const server = await serve((_request, response) =>
    response.writeHead(307, { location: "https://elsewhere.test/" }).end(),
  );
  const ctx = await withSecret(server.host);
  const { text } = await callTool(ctx, httpCall, { method: "POST", url: server.url, body: "x", secret: "crm" });
  expect(text).toBe("HTTP 307\nlocation: https://elsewhere.test/\n\n");
  expect(server.seen).toHaveLength(1);
});

test("a request that may have arrived is of unknown outcome, unless it only reads", async () => {
  const breaks = await serve((_request, response) => response.destroy());
  const ask = (method: string, host = breaks.host) =>
    failing(callTool(caller(host), httpCall, { method, url: `http://${host}/` }));
  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) expect(await ask(method)).toBeInstanceOf(OutcomeUnknown);
  expect(await ask("GET")).toBeInstanceOf(AppError);
  const nobody = await ask("POST", await closedPort());
  expect(nobody).toBeInstanceOf(AppError);
  expect(nobody.message).toMatch(/takes no connections/);
  expect(await ask("POST", "nowhere.invalid")).toBeInstanceOf(AppError);
});

test("a server that takes a request and says nothing leaves its outcome unknown", async () => {
  const server = await serve(() => undefined);
  const args = { method: "POST", url: server.url, body: "x" };
  const error = await failing(callTool(caller(server.host), makeHttpCall({ timeoutMs: 300 }), args));
  expect(error).toBeInstanceOf(OutcomeUnknown);
  expect(error.message).toBe(
    `"${server.host}" did not give its whole answer within 0.3 s. The request may have been done or not.`,
  );
});

test("an answer that breaks off was one: its status and beginning are told", async () => {
  const server = await serve((_request, response) => {
    response.writeHead(200, { "content-type": "text/plain", "content-length": "100" });
    response.write("done", () => response.destroy());
  });
  const { text } = await callTool(caller(server.host), httpCall, { method: "POST", url: server.url });
  expect(text).toMatch(/^HTTP 200\ncontent-type: text\/plain\n\ndone\n\[Only the beginning was read\. The connection/);
});

test("of an answer without end its beginning is read, and of what is no text its size is told", async () => {
  const endless = await serve((_request, response) => {
    response.writeHead(200, { "content-type": "text/plain" });
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536, "x")));
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  });
  const { text } = await callTool(caller(endless.host), httpCall, { url: endless.url }, { maxChars: 5000 });
  expect(text.length).toBeLessThanOrEqual(5000);
  expect(text).toMatch(/only its beginning was read\.\]$/);
  const picture = await serve((_request, response) =>
    response.setHeader("content-type", "image/png").end(Buffer.alloc(50)),
  );
  expect((await callTool(caller(picture.host), httpCall, { url: picture.url })).text).toContain(
    "(50 bytes that are no text.)",
  );
});

test("what is no HTTP is no answer", async () => {
  const server = createServer((socket) => socket.end("SSH-2.0-OpenSSH\r\n")).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const error = await failing(callTool(caller(host), httpCall, { url: `http://${host}/` }));
  expect(error.message).toMatch(/^The connection to "127.*" broke off/);
});

test.each(REFUSED.filter(([, url]) => url !== ""))("%s is refused: %s", async (_name, url) => {
  const tool = makeHttpCall({ lookup });
  const error = await failing(callTool(caller(), tool, { method: "POST", url }));
  expect(error).toBeInstanceOf(AppError);
  expect(tool.targets?.({ url })).toEqual([{ kind: "address", value: url }]);
});

test("a name that is public when it is checked and local when it is used does not get through", async () => {
  const server = await serve((_request, response) => response.end("secret"));
  const answers = ["127.0.0.1", "127.0.0.1"];
  const rebinding = async (): Promise<Address[]> => [{ address: answers.pop() ?? "93.184.215.14", family: 4 }];
  const url = `http://rebind.test:${server.host.split(":")[1]}/`;
  const tool = makeHttpCall({ lookup: rebinding, timeoutMs: 1000 });
  for (let n = 0; n < 2; n++) await failing(callTool(caller(), tool, { method: "POST", url }));
  expect(server.seen).toEqual([]);
});

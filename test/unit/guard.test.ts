import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { type Address, checkAddress, forbiddenAddress } from "../../core/addresses.ts";
import { AppError } from "../../core/errors.ts";
import { guardedFetch } from "../../core/guard.ts";
import { lookup, REFUSED } from "./refused-addresses.ts";

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "let through",
    (error: unknown) => (error as AppError).code,
  );

test.each(REFUSED)("%s is refused: %s", async (_name, address) => {
  const error = await checkAddress(address, { lookup }).then(
    (url) => url,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(AppError);
  expect((error as AppError).code).toBe("address_refused");
  expect((error as AppError).sentence).toMatch(/\.$/);
  const fetched = guardedFetch(address, {}, { lookup, timeoutMs: 2000 });
  if (address.includes("unknown")) await expect(fetched).rejects.toThrow("fetch failed");
  else expect(await codeOf(fetched)).toBe("address_refused");
});

test.each([
  ["a name", "https://public.test/v1"],
  ["a name in IPv6", "https://six.test/v1"],
  ["an address", "http://93.184.215.14:8000/"],
  ["an address in IPv6", "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/"],
])("%s that is public is let through: %s", async (_name, address) => {
  expect((await checkAddress(address, { lookup })).href).toContain("://");
});

test("a host that the operator allowed is let through, by name, with or without its port", async () => {
  for (const allowed of ["127.0.0.1:11434", "127.0.0.1"])
    expect((await checkAddress("http://127.0.0.1:11434/v1", { allowHosts: [allowed] })).port).toBe("11434");
  await expect(checkAddress("http://127.0.0.1:22/", { allowHosts: ["127.0.0.1:11434"] })).rejects.toThrow(AppError);
  await expect(checkAddress("http://inside.test/", { lookup, allowHosts: ["inside.test"] })).resolves.toBeTruthy();
});

test.each([
  ["http://127.0.0.1:1025/", "127.0.0.1"],
  ["http://[::1]:8080/", "[::1]"],
  ["http://inside.test/", "inside.test"],
])("what is refused for where it leads names the setting that lets it through: %s", async (address, host) => {
  const said = `ask whoever runs the platform to allow it (they name ${host} in AGENTOPIA_ALLOW_HOSTS and start the platform anew).`;
  await expect(checkAddress(address, { lookup })).rejects.toThrow(said);
  await expect(checkAddress(address, { lookup, allowHosts: [host] })).resolves.toBeTruthy();
});

test("what is no address is forbidden", () => {
  expect(forbiddenAddress("hello")).toBe("no address");
  expect(forbiddenAddress("8.8.8.8")).toBeNull();
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(handler: Handler): Promise<{ port: number; seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    handler(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

test("a name that is public when it is checked and local when it is used does not get through", async () => {
  const { port, seen } = await serve((_request, response) => response.end("secret"));
  const answers = ["93.184.215.14", "127.0.0.1"];
  const rebinding = async (): Promise<Address[]> => [{ address: answers.shift() ?? "127.0.0.1", family: 4 }];
  await checkAddress(`http://rebind.test:${port}/`, { lookup: rebinding });
  expect(await codeOf(guardedFetch(`http://rebind.test:${port}/`, {}, { lookup: rebinding }))).toBe("address_refused");
  expect(seen).toEqual([]);
});

test("an allowed host answers, and redirects within it are followed", async () => {
  const { port, seen } = await serve((request, response) => {
    if (request.url === "/old") response.writeHead(302, { location: "/new" }).end();
    else response.end("here");
  });
  const host = `127.0.0.1:${port}`;
  const options = { allowHosts: [host] };
  const response = await guardedFetch(`http://${host}/old`, { method: "POST", body: "x" }, options);
  expect(await response.text()).toBe("here");
  expect(seen).toEqual(["POST /old", "GET /new"]);
});

test.each([
  ["another host", "http://10.0.0.1/"],
  ["another port", "http://127.0.0.1:1/"],
  ["another name of the same machine", "http://localhost/"],
  ["a file", "file:///etc/passwd"],
])("a redirect to %s is not followed", async (_name, location) => {
  const { port } = await serve((_request, response) => response.writeHead(307, { location }).end());
  const options = { allowHosts: [`127.0.0.1:${port}`, "127.0.0.1:1", "localhost", "10.0.0.1"] };
  expect(await codeOf(guardedFetch(`http://127.0.0.1:${port}/`, {}, options))).toBe("address_refused");
});

test("a redirect within the host is followed only where the caller lets it", async () => {
  const { port, seen } = await serve((request, response) => {
    if (request.url === "/docs/go") response.writeHead(302, { location: "/docs/old" }).end();
    else if (request.url === "/docs/old") response.writeHead(302, { location: "/admin" }).end();
    else response.end("here");
  });
  const host = `127.0.0.1:${port}`;
  const options = { allowHosts: [host], mayFollow: (to: URL) => to.pathname.startsWith("/docs/") };
  await expect(guardedFetch(`http://${host}/docs/go`, {}, options)).rejects.toMatchObject({
    code: "address_refused",
    target: `http://${host}/admin`,
  });
  expect(seen).toEqual(["GET /docs/go", "GET /docs/old"]);
});

test("redirects without end come to one", async () => {
  const { port, seen } = await serve((_request, response) => response.writeHead(302, { location: "/" }).end());
  const host = `127.0.0.1:${port}`;
  expect(await codeOf(guardedFetch(`http://${host}/`, {}, { allowHosts: [host] }))).toBe("address_refused");
  expect(seen).toHaveLength(6);
});

test.each([
  [
    "said beforehand",
    (response: ServerResponse) => response.writeHead(200, { "content-length": 5000 }).end("x".repeat(5000)),
  ],
  ["not said", (response: ServerResponse) => response.writeHead(200).end("x".repeat(5000))],
  [
    "compressed",
    (response: ServerResponse) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(5000))),
  ],
])("a body that is too large, %s, is refused", async (_name, answer) => {
  const { port } = await serve((_request, response) => answer(response));
  const host = `127.0.0.1:${port}`;
  const read = async (maxBytes: number) =>
    (await guardedFetch(`http://${host}/`, {}, { allowHosts: [host], maxBytes })).text();
  expect((await read(5000)).length).toBe(5000);
  expect(await codeOf(read(4999))).toBe("address_refused");
});

test("an address that does not answer in time is given up", async () => {
  const { port } = await serve(() => undefined);
  const host = `127.0.0.1:${port}`;
  await expect(guardedFetch(`http://${host}/`, {}, { allowHosts: [host], timeoutMs: 50 })).rejects.toThrow(/timeout/i);
});

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { type Address, checkAddress, forbiddenAddress } from "../../core/addresses.ts";
import { AppError } from "../../core/errors.ts";
import { guardedFetch } from "../../core/guard.ts";

const NAMES: Record<string, string[]> = {
  "public.test": ["93.184.215.14"],
  "six.test": ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
  "inside.test": ["10.0.0.7"],
  "mixed.test": ["93.184.215.14", "127.0.0.1"],
  "nowhere.test": [],
};

const lookup = async (host: string): Promise<Address[]> => {
  const addresses = NAMES[host];
  if (!addresses) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: "ENOTFOUND" });
  return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
};

const REFUSED: [string, string][] = [
  ["loopback", "http://127.0.0.1:8080/"],
  ["all of loopback", "http://127.255.255.254/"],
  ["loopback in IPv6", "http://[::1]/"],
  ["localhost", "http://localhost/"],
  ["a name under localhost", "http://models.localhost/"],
  ["localhost with a dot", "http://localhost./"],
  ["unspecified", "http://0.0.0.0/"],
  ["a part of 0/8", "http://0.1.2.3/"],
  ["unspecified in IPv6", "http://[::]/"],
  ["private 10/8", "http://10.1.2.3/"],
  ["private 172.16/12", "http://172.31.255.255/"],
  ["private 192.168/16", "http://192.168.0.1/"],
  ["link-local, where metadata is", "http://169.254.169.254/latest/meta-data/"],
  ["link-local in IPv6", "http://[fe80::1]/"],
  ["unique local", "http://[fd00:ec2::254]/"],
  ["site-local", "http://[fec0::1]/"],
  ["carrier-grade NAT", "http://100.64.0.1/"],
  ["Alibaba's metadata", "http://100.100.100.200/"],
  ["Azure's metadata", "http://168.63.129.16/"],
  ["Oracle's metadata", "http://192.0.0.192/"],
  ["multicast", "http://224.0.0.1/"],
  ["multicast in IPv6", "http://[ff02::1]/"],
  ["broadcast", "http://255.255.255.255/"],
  ["reserved", "http://240.0.0.1/"],
  ["documentation", "http://192.0.2.1/"],
  ["documentation in IPv6", "http://[2001:db8::1]/"],
  ["new documentation in IPv6", "http://[3fff::1]/"],
  ["benchmarking", "http://198.18.0.1/"],
  ["IPv4-mapped", "http://[::ffff:127.0.0.1]/"],
  ["IPv4-mapped, of a public one", "http://[::ffff:93.184.215.14]/"],
  ["IPv4-mapped in hex", "http://[::ffff:7f00:1]/"],
  ["IPv4-compatible", "http://[::7f00:1]/"],
  ["NAT64", "http://[64:ff9b::7f00:1]/"],
  ["local NAT64", "http://[64:ff9b:1::a00:1]/"],
  ["6to4", "http://[2002:7f00:1::]/"],
  ["Teredo", "http://[2001:0:7f00:1::1]/"],
  ["decimal", "http://2130706433/"],
  ["hex", "http://0x7f000001/"],
  ["octal", "http://0177.0.0.1/"],
  ["short", "http://127.1/"],
  ["hex of a public one", "http://0x5db8d70e/"],
  ["full-width digits", "http://１２７.0.0.1/"],
  ["percent-encoded", "http://%31%32%37.0.0.1/"],
  ["a name that leads inside", "http://inside.test/"],
  ["a name that leads to both", "https://mixed.test/"],
  ["a name without addresses", "https://nowhere.test/"],
  ["an unknown name", "https://unknown.test/"],
  ["a password", "https://ann:secret@public.test/"],
  ["a user name", "https://ann@public.test/"],
  ["a file", "file:///etc/passwd"],
  ["ftp", "ftp://public.test/"],
  ["data", "data:text/plain,hello"],
  ["no address at all", "public.test"],
  ["nothing", ""],
];

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

import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tar from "tar";
import { expect, onTestFinished, test } from "vitest";
import { publicRoutes } from "../../admin/http.ts";
import { loadConfig } from "../../core/config.ts";
import { elementConfig } from "../../element-config/config-json.ts";
import { fetchRelease, PINNED, wantedRelease } from "../../element-config/release.ts";
import { fileInAddress, openElementWeb } from "../../element-config/web.ts";
import { testContext } from "../harness/postgres.ts";
import { tenantWithTeam } from "./homeserver.ts";

const folderOf = (prefix: string) => mkdtempSync(path.join(tmpdir(), `agentopia-${prefix}-`));

/** A small Element Web as its releases are packed: one folder with the version in its name. */
async function archive(change: (folder: string) => void = () => undefined): Promise<{ bytes: Buffer; sha256: string }> {
  const work = folderOf("release");
  const inside = path.join(work, "element-v9.9.9");
  mkdirSync(path.join(inside, "bundles/abc"), { recursive: true });
  writeFileSync(path.join(inside, "index.html"), "<!doctype html><title>Element</title>");
  writeFileSync(path.join(inside, "config.json"), '{"default_server_config":"not this one"}');
  writeFileSync(path.join(inside, "bundles/abc/bundle.js"), "1");
  writeFileSync(path.join(inside, "bundles/abc/a.wasm"), new Uint8Array([0, 97, 115, 109]));
  change(inside);
  const file = path.join(work, "release.tar.gz");
  await tar.create(
    { file, cwd: work, gzip: true },
    readdirSync(work).filter((name) => name.startsWith("element")),
  );
  const bytes = readFileSync(file);
  return { bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
}

async function served(bytes: Buffer, status = 200): Promise<{ url: string; asked: () => number }> {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked++;
    response.writeHead(status).end(bytes);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}/release.tar.gz`, asked: () => asked };
}

test("a release is fetched once, checked, and served for each tenant with that tenant's config", async () => {
  const { bytes, sha256 } = await archive();
  const { url, asked } = await served(bytes);
  const ctx = await testContext({
    env: { AGENTOPIA_ELEMENT_WEB_URL: url, AGENTOPIA_ELEMENT_WEB_SHA256: sha256.toUpperCase() },
  });
  const server = await tenantWithTeam(ctx);
  const web = openElementWeb(ctx);
  await web.ready;
  const app = publicRoutes(ctx, { element: web });
  const index = await app.request("/element/acme/");
  expect(index.status).toBe(200);
  expect(index.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(index.headers.get("cache-control")).toBe("no-cache");
  expect(index.headers.get("content-security-policy")).toBe("frame-ancestors 'self'");
  expect(await index.text()).toContain("<title>Element</title>");
  const config = (await (await app.request("/element/acme/config.json")).json()) as Record<string, unknown>;
  expect(config).toMatchObject({
    default_server_config: { "m.homeserver": { base_url: server.url, server_name: "acme.test" } },
    disable_guests: true,
    brand: "Acme Ltd",
  });
  const script = await app.request("/element/acme/bundles/abc/bundle.js");
  expect(script.headers.get("content-type")).toContain("text/javascript");
  expect(script.headers.get("cache-control")).toContain("immutable");
  const again = await app.request("/element/acme/bundles/abc/bundle.js", {
    headers: { "if-none-match": script.headers.get("etag") ?? "" },
  });
  expect(again.status).toBe(304);
  expect((await app.request("/element/acme/bundles/abc/a.wasm")).headers.get("content-type")).toBe("application/wasm");
  expect((await app.request("/element/acme", { redirect: "manual" })).headers.get("location")).toBe("/element/acme/");
  const second = openElementWeb(ctx);
  await second.ready;
  expect(second.folder()).toBe(web.folder());
  expect(asked()).toBe(1);
});

test("a folder that the operator names is served as it is", async () => {
  const folder = folderOf("element");
  writeFileSync(path.join(folder, "index.html"), "mine");
  const ctx = await testContext({ env: { AGENTOPIA_ELEMENT_WEB: folder } });
  await tenantWithTeam(ctx);
  const web = openElementWeb(ctx);
  await web.ready;
  const app = publicRoutes(ctx, { element: web });
  expect(await (await app.request("/element/acme/")).text()).toBe("mine");
});

test("nothing outside the folder is served, nor what begins with a dot", async () => {
  const folder = folderOf("element");
  writeFileSync(path.join(folder, "index.html"), "index");
  writeFileSync(path.join(folder, ".hidden"), "hidden");
  mkdirSync(path.join(folder, "sub"));
  symlinkSync("/etc/passwd", path.join(folder, "linked"));
  const ctx = await testContext({ env: { AGENTOPIA_ELEMENT_WEB: folder } });
  await tenantWithTeam(ctx);
  const app = publicRoutes(ctx, { element: openElementWeb(ctx) });
  for (const inside of [
    "%2e%2e/secret.key",
    "..%2fsecret.key",
    "%2fetc/passwd",
    "sub%2f..%2f..%2fx",
    ".hidden",
    "linked",
    "sub",
    "index.html%00.png",
    "%ff",
    "a//b",
    "%5c..%5cx",
  ])
    expect([inside, (await app.request(`/element/acme/${inside}`)).status]).toEqual([inside, 404]);
});

test.each([
  ["/element/acme/", "index.html"],
  ["/element/acme/bundles/a.js", "bundles/a.js"],
  ["/element/acme/i18n/de%20x.json", "i18n/de x.json"],
  ["/element/acme/../x", undefined],
  ["/element/acme/a/../../x", undefined],
  ["/element/acme/a%00", undefined],
  ["/element/acme/%E0%A4%A", undefined],
])("the address %s means the file %s", (address, file) => {
  expect(fileInAddress(address, "acme")).toBe(file);
});

test.each<[string, () => Promise<{ url: string; sha256: string }>, RegExp, number?]>([
  [
    "another digest",
    async () => ({ url: (await served((await archive()).bytes)).url, sha256: "0".repeat(64) }),
    /SHA-256 is/,
  ],
  [
    "an error page",
    async () => ({ url: (await served(Buffer.from("no"), 404)).url, sha256: "0".repeat(64) }),
    /answered 404/,
  ],
  [
    "nobody there",
    async () => ({ url: "http://127.0.0.1:9/x.tar.gz", sha256: "0".repeat(64) }),
    /could not be fetched/,
  ],
  [
    "too large",
    async () => {
      const { bytes, sha256 } = await archive();
      return { url: (await served(bytes)).url, sha256 };
    },
    /larger than 100 bytes/,
    100,
  ],
  [
    "no archive",
    async () => serveBytes(Buffer.from("not a tar at all, whatever its name says".repeat(50))),
    /damaged|no index/,
  ],
  [
    "no index.html",
    async () => serveArchive((folder) => writeFileSync(path.join(folder, "index.html"), ""), "element-v9.9.9/bundles"),
    /no index\.html|damaged/,
  ],
])("a release with %s is not used and leaves nothing", async (_name, release, words, maxBytes) => {
  const home = folderOf("home");
  await expect(fetchRelease(home, await release(), maxBytes ? { maxBytes } : {})).rejects.toThrow(words);
  expect(existsSync(path.join(home, "element-web")) ? readdirSync(path.join(home, "element-web")) : []).toEqual([]);
});

async function serveBytes(bytes: Buffer) {
  return { url: (await served(bytes)).url, sha256: createHash("sha256").update(bytes).digest("hex") };
}

async function serveArchive(change: (folder: string) => void, only: string) {
  const work = folderOf("release");
  const inside = path.join(work, "element-v9.9.9");
  mkdirSync(path.join(inside, "bundles"), { recursive: true });
  change(inside);
  const file = path.join(work, "release.tar.gz");
  await tar.create({ file, cwd: work, gzip: true }, [only]);
  return serveBytes(readFileSync(file));
}

test("an archive that climbs out of its folder is refused", async () => {
  const work = folderOf("evil");
  writeFileSync(path.join(work, "index.html"), "x");
  const file = path.join(work, "evil.tar.gz");
  const climb = (_path: string) => true;
  await tar.create(
    {
      file,
      cwd: work,
      gzip: true,
      preservePaths: true,
      filter: climb,
      onWriteEntry: (entry) => {
        entry.path = "a/../../../evil.html";
      },
    },
    ["index.html"],
  );
  const home = folderOf("home");
  await expect(fetchRelease(home, await serveBytes(readFileSync(file)))).rejects.toThrow(/damaged|no index/);
  expect(existsSync(path.join(home, "evil.html"))).toBe(false);
});

test("which release: the pinned one, one with a digest, or none", () => {
  const config = (env: Record<string, string>) => loadConfig({ AGENTOPIA_LOCAL_MODEL_PORTS: "none", ...env });
  expect(wantedRelease(config({}))).toBe(PINNED);
  expect(wantedRelease(config({ AGENTOPIA_ELEMENT_WEB_URL: "none" }))).toBeUndefined();
  expect(() => wantedRelease(config({ AGENTOPIA_ELEMENT_WEB_URL: "https://example.org/e.tar.gz" }))).toThrow("SHA256");
  expect(() => wantedRelease(config({ AGENTOPIA_ELEMENT_WEB_URL: "file:///etc/passwd" }))).toThrow("http");
});

test("Element offers nothing that does not work here", () => {
  const config = elementConfig({
    title: "Acme",
    serverName: "acme.test",
    homeserverUrl: "https://m.acme.test",
    config: { readableRooms: true },
  });
  expect(config).toMatchObject({
    disable_custom_urls: true,
    setting_defaults: { "UIFeature.registration": false, "UIFeature.passwordReset": false },
    enable_presence_by_hs_url: { "https://m.acme.test": false },
  });
});

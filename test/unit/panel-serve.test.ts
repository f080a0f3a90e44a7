/** The panel as the platform serves it: headers, caching, what stands at which address. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { panelRoutes } from "../../admin/panel.ts";

function build(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "agentopia-panel-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(path.join(folder, "build/assets"), { recursive: true });
  writeFileSync(path.join(folder, "secret.js"), "not for anybody");
  writeFileSync(path.join(folder, "build/stamp"), "not for anybody");
  for (const page of ["index.html", "docs.html"])
    writeFileSync(path.join(folder, "build", page), `<meta name="csp-nonce" nonce="{{nonce}}"><p>${page}</p>`);
  for (const [file, text] of Object.entries({
    "index-1a.js": "plain",
    "index-1a.js.br": "brotli",
    "index-1a.js.gz": "gzip",
    "page-2b.css": "css",
  }))
    writeFileSync(path.join(folder, "build/assets", file), text);
  return path.join(folder, "build");
}

test.each([
  ["/panel/", "index.html"],
  ["/panel/c/demo/agents/a1", "index.html"],
  ["/panel/link/some-token", "index.html"],
  ["/panel/c/demo/people/%40maya%3Ademo", "index.html"],
  ["/api/docs", "docs.html"],
])("%s is the page %s, under a policy of its own", async (address, page) => {
  const app = panelRoutes(build());
  const [one, two] = [await app.request(address), await app.request(address)];
  expect(one.status).toBe(200);
  const text = await one.text();
  expect(text).toContain(page);
  const nonce = /nonce="([^"]+)"/.exec(text)?.[1] ?? "";
  expect(nonce).toMatch(/^[\w+/]{22}==$/);
  expect(one.headers.get("content-security-policy")).toBe(
    `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
  );
  expect(await two.text()).not.toContain(nonce);
  expect(Object.fromEntries(one.headers)).toMatchObject({
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
  });
});

test("/panel leads to /panel/", async () => {
  const answer = await panelRoutes(build()).request("/panel");
  expect([answer.status, answer.headers.get("location")]).toEqual([302, "/panel/"]);
});

test.each([
  ["gzip, deflate, br, zstd", "br", "brotli"],
  ["gzip", "gzip", "gzip"],
  ["br;q=0, gzip;q=0.5", "gzip", "gzip"],
  ["identity", null, "plain"],
  ["", null, "plain"],
])("a file for a browser that takes “%s”", async (accepted, encoding, body) => {
  const headers = { "accept-encoding": accepted };
  const answer = await panelRoutes(build()).request("/panel/assets/index-1a.js", { headers });
  expect(await answer.text()).toBe(body);
  expect(answer.headers.get("content-encoding")).toBe(encoding);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "public, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
    vary: "accept-encoding",
  });
});

test("a file that is there only as it is is sent as it is", async () => {
  const headers = { "accept-encoding": "br" };
  const answer = await panelRoutes(build()).request("/panel/assets/page-2b.css", { headers });
  expect([await answer.text(), answer.headers.get("content-encoding")]).toEqual(["css", null]);
});

test.each([
  "/panel/assets/gone-3c.js",
  "/panel/assets/..%2fstamp",
  "/panel/assets/..%2f..%2fsecret.js",
  "/panel/assets/..%5c..%5csecret.js",
  "/panel/assets/%2e%2e%2f%2e%2e%2fsecret.js",
  "/panel/assets/%00.js",
  "/panel/assets/.js",
  "/panel/assets/index-1a.js.br",
  "/panel/assets/%ff.js",
])("%s is nothing", async (address) => {
  const answer = await panelRoutes(build()).request(address);
  expect(answer.status).toBe(404);
  expect(await answer.text()).not.toContain("not for anybody");
});

test("without a build the page says how to make one", async () => {
  const answer = await panelRoutes("/nowhere").request("/panel/");
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain("Run “npm run panel” in Agentopia&#39;s folder");
});

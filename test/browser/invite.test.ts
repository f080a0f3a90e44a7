import { mkdirSync } from "node:fs";
import path from "node:path";
import { Hono } from "hono";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { publicRoutes } from "../../admin/http.ts";
import { createInvite } from "../../admin/invites.ts";
import { sendWelcome } from "../../admin/join/welcome.ts";
import { AppError } from "../../core/errors.ts";
import { listen } from "../../core/listen.ts";
import { testContext } from "../harness/postgres.ts";
import { freePort } from "../harness/postgres-process.ts";
import { RESULTS } from "../harness/results.ts";
import { TENANT, tenantWithTeam } from "../people/homeserver.ts";
import { startChromium } from "./chromium.ts";

const PASSWORD = "correct-Horse-7";
const SHOTS = path.join(RESULTS, "invite-page");
mkdirSync(SHOTS, { recursive: true });

let browser: Browser;
beforeAll(async () => {
  browser = await startChromium();
});
afterAll(() => browser?.close());

async function setUp(options: BrowserContextOptions = {}, wish: { folder?: string } = {}) {
  const port = await freePort();
  const ctx = await testContext({ env: { AGENTOPIA_URL: `http://127.0.0.1:${port}` } });
  const server = await tenantWithTeam(ctx);
  const app = publicRoutes(ctx, { element: { folder: () => wish.folder } });
  const listener = await listen({
    host: "127.0.0.1",
    port,
    fetch: app.fetch,
    keepAliveMs: 1000,
    taken: new AppError("setup", "taken"),
  });
  const context = await browser.newContext(options);
  onTestFinished(async () => {
    await context.close();
    await listener.close();
  });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(`http://127.0.0.1:${port}/`) && !request.url().startsWith("data:"))
      problems.push(`asks ${request.url()}`);
  });
  const link = async (more = {}) => (await createInvite(ctx, { tenantId: TENANT, ...more })).url;
  return { ctx, server, page, problems, link };
}

const sideways = (page: Page) =>
  page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth");

const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const cases = (["desktop", "phone"] as const).flatMap((size) =>
  (["light", "dark"] as const).flatMap((colors) => [true, false].map((js) => ({ size, colors, js }))),
);

test.each(cases)("on a $size, $colors, JavaScript $js: from the link to the account", async ({ size, colors, js }) => {
  const { page, problems, link, server } = await setUp({
    viewport: SIZES[size],
    colorScheme: colors,
    javaScriptEnabled: js,
    isMobile: size === "phone",
    hasTouch: size === "phone",
  });
  const shot = (name: string) =>
    page.screenshot({ path: path.join(SHOTS, `${size}-${colors}-${js ? "js" : "plain"}-${name}.png`), fullPage: true });
  await page.goto(await link());
  await shot("1-form");
  await page.getByLabel("User name").fill("agent-x");
  await page.getByLabel("Password", { exact: true }).fill("short");
  if (js) {
    // At once: nothing was sent yet.
    await page.locator("#username-error", { hasText: "kept for agents" }).waitFor();
    await page.locator("#password-error", { hasText: "at least 8 characters" }).waitFor();
  }
  await page.getByRole("button", { name: "Create account" }).click();
  await page.locator("#username-error", { hasText: "kept for agents" }).waitFor();
  expect(await page.getByLabel("User name").inputValue()).toBe("agent-x");
  expect(await page.getByLabel("User name").getAttribute("aria-invalid")).toBe("true");
  await shot("2-problems");
  await page.getByLabel("User name").fill("Alice");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("heading", { name: "Welcome, alice" }).waitFor();
  await shot("3-welcome");
  expect(server.accounts.get("alice")).toBe(PASSWORD);
  if (js) expect(await sideways(page)).toBe(false);
  // What the browser says of answers 400 is no fault of the page.
  expect(problems.filter((problem) => !problem.includes("status of 400"))).toEqual([]);
});

test("the password can be shown, and the field is told apart by those who cannot see", async () => {
  const { page, link } = await setUp();
  await page.goto(await link());
  const password = page.getByLabel("Password", { exact: true });
  await password.fill(PASSWORD);
  await page.getByRole("button", { name: "Show the password" }).click();
  expect(await password.getAttribute("type")).toBe("text");
  await page.getByRole("button", { name: "Hide the password" }).click();
  expect(await password.getAttribute("type")).toBe("password");
  const described = (await page.getByLabel("User name").getAttribute("aria-describedby")) ?? "";
  for (const id of described.split(" ")) expect(await page.locator(`#${id}`).count()).toBe(1);
});

test("with the keyboard alone", async () => {
  const { page, link } = await setUp();
  await page.goto(await link());
  await page.getByLabel("User name").focus();
  await page.keyboard.type("carol");
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Welcome, carol" }).waitFor();
});

test("with Element Web served here, a button opens it", async () => {
  const { page, link } = await setUp({ viewport: SIZES.phone, isMobile: true }, { folder: "/somewhere" });
  await page.goto(await link());
  await page.getByLabel("User name").fill("alice");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  const button = page.getByRole("link", { name: "Open Element in this browser" });
  await button.waitFor();
  expect(await button.getAttribute("href")).toBe("/element/acme/#/login");
  await page.screenshot({ path: path.join(SHOTS, "phone-element-web.png"), fullPage: true });
});

test("with a homeserver on HTTPS, the page has a code for the phone", async () => {
  const { page } = await setUp({ viewport: SIZES.desktop });
  const person = {
    username: "alice",
    userId: "@alice:acme.test",
    tenantId: TENANT,
    tenantTitle: "Acme Ltd",
    serverName: "acme.test",
    homeserverUrl: "https://matrix.acme.test",
    elementServed: true,
    place: { panel: null, team: null },
  };
  const answer = await new Hono().get("/", (c) => sendWelcome(c, person)).request("/");
  await page.setContent(await answer.text());
  const code = page.getByRole("img", { name: "QR code of the link for Element X" });
  await code.waitFor();
  const box = await code.boundingBox();
  expect(box?.width).toBeGreaterThan(120);
  await page.screenshot({ path: path.join(SHOTS, "desktop-https.png"), fullPage: true });
});

test("links that are over and addresses that are nothing have a page that fits a phone", async () => {
  const { page, link, ctx } = await setUp({ viewport: SIZES.phone, isMobile: true });
  const url = await link({ ttl: 60_000 });
  await ctx.sql`update invites set expires_at = now() - interval '1 minute'`;
  await page.goto(url);
  await page.getByRole("heading", { name: "This link is over" }).waitFor();
  expect(await page.locator("form").count()).toBe(0);
  await page.screenshot({ path: path.join(SHOTS, "phone-expired.png") });
  await page.goto(new URL("/join/nonsense", url).href);
  await page.getByRole("heading", { name: "This link does not exist" }).waitFor();
  await page.goto(new URL("/nothing", url).href);
  await page.getByRole("heading", { name: "Nothing here" }).waitFor();
  expect(await sideways(page)).toBe(false);
});

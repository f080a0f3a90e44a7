/** The panel in a real Chromium against a real platform: who is signed in, how wide, which colours; and what may not happen on any page. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { setRole } from "../../admin/roles.ts";
import { createLink } from "../../admin/sign-in/links.ts";
import type { TenantRole } from "../../migrations/types.ts";
import { eventually } from "../harness/eventually.ts";
import type { Platform } from "../harness/platform.ts";
import { makeResultsFolder } from "../harness/results.ts";
import type { Shared } from "../harness/shared-platform.ts";
import { startChromium } from "./chromium.ts";

export const OPERATOR = { name: "admin", password: "correct-Horse-7-battery" };

export interface Look {
  width?: number;
  scheme?: "light" | "dark";
}

/** Somebody with a session: their cookie is put into every page opened as them. */
export interface SignedIn {
  name: string;
  cookie: { name: string; value: string };
  /** Asks the API as them. */
  api<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
}

export interface Panel {
  browser: Browser;
  operator(): Promise<SignedIn>;
  /** The operator in another session, which the test may end. */
  operatorAnew(): Promise<SignedIn>;
  /** A person of a client (`demo`) with this role; an account made by an invite, signed in by a link. The same one every time. */
  person(role: TenantRole, tenant?: string): Promise<SignedIn>;
  /** Opens an address below `/panel` in a browser of its own and waits until it is drawn. */
  open(address: string, as: SignedIn | null, look?: Look): Promise<Opened>;
}

export interface Opened {
  page: Page;
  context: BrowserContext;
  /** What a page may not do: errors in the console, breaches of the policy, requests elsewhere. */
  problems: string[];
  close(): Promise<void>;
}

/** One Chromium for the tests of a file, over its platform. */
export function sharedPanel(shared: Shared): Panel {
  const known = new Map<string, Promise<SignedIn>>();
  const once = (key: string, make: () => Promise<SignedIn>) => {
    if (!known.has(key)) known.set(key, make());
    return known.get(key)!;
  };
  const panel: Panel = {
    browser: undefined as unknown as Browser,
    operator: () => once("operator", () => signInOperator(shared.platform)),
    async operatorAnew() {
      await panel.operator(); // sets the password
      return signedIn(shared.platform, "operator", await send(shared.platform, "/sign-in", OPERATOR));
    },
    person: (role, tenant = "demo") => once(`${role} ${tenant}`, () => signInPerson(shared.platform, role, tenant)),
    open: (address, as, look) => open(panel.browser, shared.platform.url, { address, as, look: look ?? {} }),
  };
  beforeAll(async () => {
    panel.browser = await startChromium();
  });
  afterAll(() => panel.browser?.close());
  return panel;
}

async function signInOperator(platform: Platform): Promise<SignedIn> {
  const printed = () => /\S+\/panel\/link\/\S+/.exec(platform.output())?.[0];
  const url = await eventually("the printed sign-in link", printed);
  return signedIn(platform, "operator", await follow(platform, url, { password: OPERATOR.password }));
}

async function signInPerson(platform: Platform, role: TenantRole, tenant: string): Promise<SignedIn> {
  const { userId } = await platform.person(`the-${role}`, tenant);
  await setRole(platform.ctx, { tenantId: tenant, userId, role });
  const wish = { kind: "sign_in", tenantId: tenant, userId, createdBy: "a test", ttlMs: 600_000 } as const;
  const { url } = await createLink(platform.ctx, wish);
  return signedIn(platform, userId, await follow(platform, url, {}));
}

const follow = (platform: Platform, url: string, body: object) =>
  send(platform, `/links/${new URL(url).pathname.split("/").at(-1)}`, body);

async function send(platform: Platform, address: string, body: object): Promise<Response> {
  const response = await fetch(`${platform.url}/api/v1${address}`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: platform.url, "sec-fetch-site": "same-origin" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${address}: ${response.status} ${await response.text()}`);
  return response;
}

function signedIn(platform: Platform, name: string, response: Response): SignedIn {
  const [pair = ""] = (response.headers.getSetCookie()[0] ?? "").split(";");
  const cut = pair.indexOf("=");
  const cookie = { name: pair.slice(0, cut), value: pair.slice(cut + 1) };
  return {
    name,
    cookie,
    async api<T>(method: string, address: string, body?: unknown): Promise<T> {
      const answer = await fetch(`${platform.url}/api/v1${address}`, {
        method,
        headers: {
          cookie: pair,
          origin: platform.url,
          "sec-fetch-site": "same-origin",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${address}: ${answer.status} ${text}`);
      return (text ? JSON.parse(text) : undefined) as T;
    },
  };
}

interface Opening {
  address: string;
  as: SignedIn | null;
  look: Look;
}

async function open(browser: Browser, url: string, { address, as, look }: Opening): Promise<Opened> {
  const { width = 1280, scheme = "light" } = look;
  const phone = width < 600;
  const context = await browser.newContext({
    viewport: { width, height: phone ? 844 : 800 },
    colorScheme: scheme,
    isMobile: phone,
    hasTouch: phone,
    reducedMotion: "reduce",
  });
  if (as) await context.addCookies([{ ...as.cookie, url }]);
  const page = await context.newPage();
  const problems = watch(page, url);
  await page.goto(`${url}/panel${address}`);
  await drawn(page);
  return { page, context, problems, close: () => context.close() };
}

/** A refusal that a page expects (who am I?) is written to the console by the browser itself. */
const EXPECTED = /the server responded with a status of 401/;

/** What a page has asked for and not got yet, besides streams, which never end. */
const waiting = new WeakMap<Page, Set<object>>();
const STREAMS = /\/(events|log)(\?|$)/;

/** Collects what no page may do. */
export function watch(page: Page, url: string): string[] {
  const problems: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !EXPECTED.test(message.text())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  const open = new Set<object>();
  waiting.set(page, open);
  page.on("requestfinished", (request) => open.delete(request));
  page.on("requestfailed", (request) => open.delete(request));
  page.on("request", (request) => {
    if (!STREAMS.test(request.url())) open.add(request);
    if (!request.url().startsWith(`${url}/`) && !/^(data|blob):/.test(request.url()))
      problems.push(`asks ${request.url()}`);
  });
  return problems;
}

/** Waits for the page's heading, until it has got what it asked for, and until nothing on it says that it is loading. */
export async function drawn(page: Page): Promise<void> {
  await page.locator("h1").first().waitFor();
  const quiet = () => (waiting.get(page)?.size ?? 0) === 0;
  const loading = `[role="status"][aria-label="Loading …"], .mantine-Skeleton-root[data-visible], .mantine-Loader-root`;
  await eventually("the page to have loaded", async () => {
    if (!quiet()) return false;
    // Drawn, and what that asked for in turn.
    await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 50)))");
    return quiet() && (await page.locator(loading).count()) === 0;
  });
}

/** axe-core as one text, put into a page from outside: its policy stays as it is. */
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds wrong, one line for each rule and place. `colours`: only what other colours under the same page may change. */
export async function axe(page: Page, which: "all" | "colours" = "all"): Promise<string[]> {
  await page.evaluate(AXE);
  // An open list belongs to its field, wherever in the document it stands.
  await page.evaluate(
    `axe.configure({ checks: [{ id: "region", options: { regionMatcher: "dialog, [role=dialog], [role=alertdialog], svg, .mantine-Popover-dropdown" } }] })`,
  );
  const rules = which === "all" ? "" : ", runOnly: ['color-contrast', 'link-in-text-block']";
  const found = (await page.evaluate(`axe.run(document, { resultTypes: ['violations']${rules} })`)) as {
    violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
  };
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} — ${failureSummary?.replace(/\s+/g, " ")}`),
  );
}

/** Whether something is wider than the window. */
export const sideways = (page: Page): Promise<boolean> =>
  page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth");

/** Writes a picture of the whole page into `test/results/panel/`. */
export async function shoot(page: Page, name: string): Promise<void> {
  const file = path.join(makeResultsFolder("panel"), `${name}.png`);
  await page.screenshot({ path: file, fullPage: true, animations: "disabled" });
}

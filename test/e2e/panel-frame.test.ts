/** The panel's frame in a real browser: keyboard, live, sessions that end, a platform that goes away and comes back, size. */
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import {
  axe,
  drawn,
  type Look,
  OPERATOR,
  type Opened,
  type SignedIn,
  sharedPanel,
  shoot,
  sideways,
} from "../browser/panel.ts";
import { eventually } from "../harness/eventually.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "panel-frame" });
const panel = sharedPanel(shared);

/** Opens a page; the test fails when it wrote an error, broke the policy or asked elsewhere. */
async function open(address: string, as: SignedIn | null, look?: Look): Promise<Opened> {
  const opened = await panel.open(address, as, look);
  onTestFinished(() => opened.close());
  return opened;
}

const focused = (page: Page): Promise<string> =>
  page.evaluate(
    "(document.activeElement.getAttribute('aria-label') ?? (document.activeElement.id || document.activeElement.textContent)).trim()",
  );

test("the first page is small, for signing in and for home", async () => {
  for (const as of [null, await panel.operator()]) {
    const context = await panel.browser.newContext();
    onTestFinished(() => context.close());
    if (as) await context.addCookies([{ ...as.cookie, url: shared.platform.url }]);
    const page = await context.newPage();
    const sizes: Promise<number>[] = [];
    page.on("requestfinished", (request) =>
      sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize)),
    );
    await page.goto(`${shared.platform.url}/panel/`);
    await drawn(page);
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeGreaterThan(50_000);
    expect(bytes).toBeLessThanOrEqual(350_000);
  }
});

test("a stranger signs in where they wanted to go", async () => {
  await panel.operator(); // sets the password
  const { page, problems } = await open("/operators", null);
  expect(await page.locator("h1").textContent()).toContain("Sign in");
  await signIn(page, page.locator("main"));
  await page.getByRole("heading", { level: 1, name: "Operators" }).waitFor();
  expect(new URL(page.url()).pathname).toBe("/panel/operators");
  expect(problems).toEqual([]);
});

async function signIn(page: Page, within: ReturnType<Page["locator"]>): Promise<void> {
  await within.getByLabel(/name/i).first().fill(OPERATOR.name);
  await within.locator('input[type="password"]').fill(OPERATOR.password);
  await within.getByRole("button", { name: "Sign in" }).click();
  await page.locator('input[type="password"]').waitFor({ state: "detached" });
}

test("by keyboard alone: skip link, navigation, a menu and back", async () => {
  const { page, problems } = await open("/", await panel.operator());
  await page.keyboard.press("Tab");
  expect(await focused(page)).toBe("Skip to the content");
  await page.keyboard.press("Enter");
  expect(await focused(page)).toBe("main");
  await page.getByRole("link", { name: "Operators" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Operators" }).waitFor();
  expect(await page.title()).toBe("Operators · Agentopia");
  expect(await focused(page)).toBe("main");
  const account = page.getByRole("button", { name: "Account of admin" });
  await account.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Your account" }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Escape");
  await page.getByRole("menuitem", { name: "Your account" }).waitFor({ state: "hidden" });
  expect(await focused(page)).toBe("Account of admin");
  expect(problems).toEqual([]);
});

test("on a phone the navigation is behind a button", async () => {
  const { page, problems } = await open("/c/demo/agents", await panel.operator(), { width: 390 });
  const link = page.getByRole("link", { name: "Templates" });
  await link.waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Open the navigation" }).click();
  await link.click();
  await page.getByRole("heading", { level: 1, name: "Templates" }).waitFor();
  await link.waitFor({ state: "hidden" });
  expect(await sideways(page)).toBe(false);
  expect(problems).toEqual([]);
});

test("the chosen appearance stays", async () => {
  const { page } = await open("/", await panel.operator());
  const scheme = () => page.locator("html").getAttribute("data-mantine-color-scheme");
  expect(await scheme()).toBe("light");
  await page.getByRole("button", { name: "Account of admin" }).click();
  await page.getByRole("menuitemradio", { name: "Dark" }).click();
  expect(await scheme()).toBe("dark");
  await page.reload();
  await drawn(page);
  expect(await scheme()).toBe("dark");
});

test("what somebody may not do is not in their navigation, and stands at no address", async () => {
  const { page, problems } = await open("/", await panel.person("member"));
  const links = await page.getByRole("navigation", { name: "Navigation" }).getByRole("link").allTextContents();
  expect(links).toEqual([
    "Home",
    "Agents",
    "Templates",
    "Teams & rooms",
    "Forms",
    "Approvals",
    "Schedules",
    "Runs",
    "API description",
  ]);
  expect(await page.locator('nav [aria-current="page"]').allTextContents()).toEqual(["Home"]);
  for (const address of ["/audit", "/c/demo/audit", "/c/another/agents", "/clients", "/no/such/page"]) {
    await page.goto(`${shared.platform.url}/panel${address}`);
    await page.getByRole("heading", { level: 1, name: "Nothing here" }).waitFor();
  }
  expect(problems).toEqual([]);
});

test("a session that ends while a form is filled: nothing typed is lost, and it is sent after signing in", async () => {
  const operator = await panel.operatorAnew();
  const { page, problems } = await open("/operators", operator);
  await page.getByRole("button", { name: "Add an operator" }).click();
  const form = page.getByRole("dialog", { name: "A new operator" });
  await form.getByLabel("Name").fill("Zoë 🦔");
  await operator.api("POST", "/sign-out");
  const send = form.getByRole("button", { name: "Add and make the link" });
  await send.click();
  const again = page.getByRole("dialog", { name: "Your session has ended" });
  await again.waitFor();
  expect(await axe(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await again.waitFor({ state: "detached" });
  expect(await form.getByLabel("Name").inputValue()).toBe("Zoë 🦔");
  await send.click();
  await again.waitFor();
  await signIn(page, again);
  await page.getByRole("dialog", { name: "The link for Zoë 🦔" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("cell", { name: "Zoë 🦔", exact: true }).waitFor();
  expect(await page.getByRole("cell", { name: "Zoë 🦔", exact: true }).count()).toBe(1);
  expect(problems).toEqual([]);
});

test("what was typed by one is not sent by somebody else", async () => {
  const operator = await panel.operatorAnew();
  const person = await panel.person("owner");
  const { page, context } = await open("/operators", operator);
  await page.getByRole("button", { name: "Add an operator" }).click();
  await page.getByRole("dialog", { name: "A new operator" }).getByLabel("Name").fill("nobody");
  await operator.api("POST", "/sign-out");
  await page.getByRole("button", { name: "Add and make the link" }).click();
  const again = page.getByRole("dialog", { name: "Your session has ended" });
  await again.waitFor();
  // Another tab of the same browser: the owner signs in. The dialog's own sign-in is then answered with theirs.
  await page.route("**/api/v1/sign-in", async (route) => {
    await context.addCookies([{ ...person.cookie, url: shared.platform.url }]);
    await route.fulfill({ json: {} });
  });
  await again.getByLabel(/name/i).first().fill("somebody");
  await again.locator('input[type="password"]').fill("else");
  await again.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: "Nothing here" }).waitFor();
  const { items } = await (await panel.operator()).api<{ items: { name: string }[] }>("GET", "/operators");
  expect(items.map(({ name }) => name)).not.toContain("nobody");
});

test("what one does is seen in another tab without loading it again", async () => {
  const operator = await panel.operator();
  const { page, problems } = await open("/c/demo/agents", await panel.person("manager"));
  const nav = page.getByRole("navigation", { name: "Navigation" });
  await nav.getByText("Demo", { exact: true }).waitFor();
  const { version } = await operator.api<{ version?: number }>("GET", "/clients/demo");
  await operator.api("PATCH", "/clients/demo", { title: "Demo & Söhne 🎉", ...(version ? { version } : {}) });
  await nav.getByText("Demo & Söhne 🎉").waitFor();
  await operator.api("PATCH", "/clients/demo", { title: "Demo" });
  await nav.getByText("Demo", { exact: true }).waitFor();
  expect(problems).toEqual([]);
});

test("a platform that is restarted under an open page: said, and over by itself", async () => {
  const { page } = await open("/c/demo/agents", await panel.operator());
  await page.evaluate("window.stillTheSamePage = true");
  await shared.platform.stop();
  const hint = page.getByText("Agentopia does not answer; trying again …");
  await hint.waitFor();
  await shared.platform.start();
  await hint.waitFor({ state: "hidden" });
  await page.getByRole("link", { name: "Operators" }).click();
  await page.getByRole("heading", { level: 1, name: "Operators" }).waitFor();
  expect(await page.evaluate("window.stillTheSamePage")).toBe(true);
});

test("a click on another page while the platform is away: said inside of the frame, and the page is there after it", async () => {
  const { page } = await open("/c/demo/agents", await panel.operator());
  await page.evaluate("window.stillTheSamePage = true");
  // Nothing is fetched ahead here: the page's code has to be asked for.
  await page.route("**/panel/assets/**", (route) => route.abort());
  await shared.platform.stop();
  await page.getByRole("link", { name: "Operators" }).click();
  await page.getByText("Agentopia does not answer now; trying again …").waitFor();
  await page.getByRole("navigation", { name: "Navigation" }).waitFor();
  expect(await axe(page)).toEqual([]);
  await page.unroute("**/panel/assets/**");
  await shared.platform.start();
  await page.getByRole("heading", { level: 1, name: "Operators" }).waitFor();
  expect(new URL(page.url()).pathname).toBe("/panel/operators");
});

test("the code of other pages is there before the platform goes away", async () => {
  const { page } = await open("/c/demo/agents", await panel.operator());
  const fetched = () => page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name).join()");
  await eventually("the pages' code", async () => /operators-.*\.js/.test(String(await fetched())));
  await page.evaluate("window.stillTheSamePage = true");
  await shared.platform.stop();
  await page.getByRole("link", { name: "Operators" }).click();
  await page.getByRole("heading", { level: 1, name: "Operators" }).waitFor();
  expect(await page.evaluate("window.stillTheSamePage")).toBe(true);
  await shared.platform.start();
  await page.getByText("Agentopia does not answer", { exact: false }).first().waitFor({ state: "hidden" });
});

test("the API's description is drawn, with its operations", async () => {
  const { page, problems } = await open("/", null);
  await page.goto(`${shared.platform.url}/api/docs`);
  await page.getByText("Everything that the panel does, for programs too.").waitFor();
  await page.locator("#operations-tag-agents").click();
  await page.locator(".opblock").first().waitFor();
  // It breaks long words with characters that nobody sees.
  const shown = (await page.locator(".opblock-summary-path").allTextContents()).join("\n").replaceAll("\u200b", "");
  expect(shown).toContain("/clients/{client}/agents/{agent}/publish");
  expect(await axe(page)).toEqual([]);
  expect(await sideways(page)).toBe(false);
  await shoot(page, "api-docs-1280-light");
  expect(problems).toEqual([]);
});

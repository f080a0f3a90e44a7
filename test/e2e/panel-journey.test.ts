/** The whole way in a real browser over real homeservers: the first sign-in, a client, its owner, a team, an agent, a person, an answer, its run. */
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { axe, drawn, OPERATOR, sharedPanel, watch } from "../browser/panel.ts";
import { signIn } from "../harness/person.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "panel-journey" });
const panel = sharedPanel(shared);
const LONG = 180_000;

const PASSWORDS = { olga: "Nebel-Lampe-Kies-4", pia: "Regen-Tasse-Moos-8", new: "Wolke-Dach-Sand-2" };

/** A browser of somebody's own. */
async function browser(): Promise<{ page: Page; problems: string[] }> {
  const context = await panel.browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
  onTestFinished(() => context.close());
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  return { page, problems: watch(page, shared.platform.url) };
}

const button = (page: Page, name: string | RegExp) =>
  page.getByRole("button", { name, exact: typeof name === "string" });
/** Mantine puts a star behind the label of what is required. */
const field = (page: Page, label: string) => page.getByLabel(new RegExp(`^${label}( \\*)?$`));

/** Goes where a person would click, in the navigation at the side; a dialog that says what was done is closed before. */
async function goTo(page: Page, name: string): Promise<void> {
  if (await page.getByRole("dialog").isVisible()) {
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
  }
  await page.getByRole("navigation").getByRole("link", { name, exact: true }).first().click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
  await drawn(page);
}

/** Opens an invite link as a stranger does, and makes the account. */
async function join(url: string, username: string, password: string): Promise<void> {
  const { page } = await browser();
  await page.goto(url);
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button").last().click();
  await page.getByText(`@${username}:acme.localhost`).first().waitFor();
}

async function signInToPanel(page: Page, name: string, password: string): Promise<void> {
  await page.goto(`${shared.platform.url}/panel/`);
  await field(page, "Name").fill(name);
  await field(page, "Password").fill(password);
  await button(page, "Sign in").click();
}

test("from the printed link to an answer in a new client's room, its run, and a forgotten password", {
  timeout: LONG,
}, async () => {
  const { platform } = shared;
  const { url, model } = platform;

  // The first operator, by the link that `npm start` printed. It works once.
  const link = /\S+\/panel\/link\/\S+/.exec(platform.output())?.[0] ?? "";
  expect(link).toContain(`${url}/panel/link/`);
  const operator = await browser();
  await operator.page.goto(link);
  await operator.page.getByLabel(/^New password/).fill(OPERATOR.password);
  await operator.page.getByLabel(/^The same again/).fill(OPERATOR.password);
  await button(operator.page, "Set the password and sign in").click();
  await button(operator.page, "Not now").click();
  await operator.page.getByRole("navigation").first().waitFor();
  const late = await browser();
  await late.page.goto(link);
  await late.page.getByRole("heading", { name: "This link does not work" }).waitFor();

  // A client with a homeserver of its own, and the link for its owner.
  // Home leads to the dialog itself.
  await operator.page.getByRole("link", { name: "Add a client" }).click();
  await field(operator.page, "Short name").fill("acme");
  await field(operator.page, "Title").fill("Acme & Söhne 🦊");
  await operator.page.getByRole("dialog").getByRole("button", { name: "Add the client" }).click();
  await operator.page.getByText("Acme & Söhne 🦊 runs.").waitFor({ timeout: 60_000 });
  await button(operator.page, "Make the owner's invite link").click();
  const ownerLink = await operator.page.getByRole("dialog").getByLabel("Invite link").inputValue();
  await operator.page.getByRole("img", { name: "The link as a QR code" }).waitFor();
  expect(operator.problems).toEqual([]);

  // The owner comes in with the Matrix account that the link made, and is told what to do first.
  await join(ownerLink, "olga", PASSWORDS.olga);
  const owner = await browser();
  await signInToPanel(owner.page, "@olga:acme.localhost", "not the password");
  await owner.page.getByText("Name or password is wrong.").waitFor();
  owner.problems.length = 0; // the browser itself writes a refusal to the console
  await signInToPanel(owner.page, "olga", PASSWORDS.olga);
  await owner.page.getByRole("navigation").first().waitFor();
  await owner.page.getByRole("link", { name: "Make a team" }).click();
  await button(owner.page, /Blank/).click();
  await field(owner.page, "Name of the team").fill("Support");
  await field(owner.page, "Rooms, one a line").fill("helpdesk\nideas");
  await button(owner.page, "Make it").click();
  await owner.page.getByRole("link", { name: "helpdesk", exact: true }).waitFor({ timeout: 30_000 });

  // An agent from a template, published, in a room.
  await owner.page.getByRole("navigation").getByRole("link", { name: "Home", exact: true }).click();
  await owner.page.getByRole("link", { name: "Make an agent" }).click();
  await button(owner.page, "Make an agent: Support triage").click();
  await button(owner.page, "Publish").click();
  await owner.page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
  await button(owner.page, "Invite it to a room").click();
  await owner.page.getByRole("checkbox", { name: "helpdesk" }).check();
  await button(owner.page, "Invite it to 1 room").click();
  await owner.page.getByText("Open it in your Matrix app: helpdesk").waitFor();
  const agents = await platform.agents("acme");
  const agent = agents[0];
  expect(agents).toHaveLength(1);

  // A person, by an invite link, who asks it in a Matrix client.
  await owner.page.getByRole("link", { name: "Invite people" }).click();
  await button(owner.page, "Make the link").click();
  const invite = await owner.page.getByRole("dialog").getByLabel("Link", { exact: true }).inputValue();
  await join(invite, "pia", PASSWORDS.pia);
  const { homeserverUrl = "" } =
    (await platform.json<{ tenants: { name: string; homeserverUrl: string }[] }>("status")).tenants.find(
      ({ name }) => name === "acme",
    ) ?? {};
  const pia = await signIn(homeserverUrl, "pia", PASSWORDS.pia);
  onTestFinished(() => pia.leave());
  const room = await pia.room("helpdesk");
  const answer = await pia.answer(await pia.ask(room, agent?.userId ?? "", "my printer is on fire #printer"));
  expect(answer).toMatchObject({ sender: agent?.userId, text: "Answer to #printer" });
  expect(model.asked("#printer")).toHaveLength(1);

  // What it did, with its tokens.
  await goTo(owner.page, "Runs");
  await owner.page.getByRole("link", { name: /pia/ }).first().waitFor();
  await owner.page
    .getByRole("main")
    .getByRole("link")
    .filter({ hasText: agent?.name ?? "" })
    .first()
    .click();
  await owner.page.getByText("my printer is on fire #printer").first().waitFor();
  await owner.page.getByText("Answer to #printer").first().waitFor();
  expect(await owner.page.getByRole("main").innerText()).toMatch(/\d+ (tokens )?in\b|tokens/i);

  // A password that was forgotten: a link from the owner, no e-mail.
  await goTo(owner.page, "People");
  await owner.page.getByRole("main").getByRole("link", { name: /pia/ }).first().click();
  await button(owner.page, "Password link").click();
  await owner.page.getByRole("dialog").getByRole("button").last().click();
  const reset = await owner.page.getByRole("dialog").getByRole("textbox").first().inputValue();
  expect(reset).toContain("/panel/link/");
  const forgetful = await browser();
  await forgetful.page.goto(reset);
  await forgetful.page.getByLabel(/^New password/).fill(PASSWORDS.new);
  await forgetful.page.getByLabel(/^The same again/).fill(PASSWORDS.new);
  expect(await axe(forgetful.page)).toEqual([]);
  await button(forgetful.page, "Set the new password").click();
  await forgetful.page.getByRole("heading", { name: "Your new password is set" }).waitFor();
  await expect(signIn(homeserverUrl, "pia", PASSWORDS.pia)).rejects.toThrow();
  (await signIn(homeserverUrl, "pia", PASSWORDS.new)).leave();
  expect([...owner.problems, ...forgetful.problems]).toEqual([]);

  // The manager of another client finds nothing of this one.
  const stranger = await panel.person("manager", "demo");
  const { page } = await panel.open("/c/acme/agents", stranger);
  onTestFinished(() => page.context().close());
  expect(await page.getByText(agent?.name ?? "Triage").count()).toBe(0);
  await expect(stranger.api("GET", "/clients/acme/agents")).rejects.toThrow(/: 404 /);
  await expect(stranger.api("POST", "/clients/acme/teams", { name: "mine" })).rejects.toThrow(/: 404 /);
});

/**
 * What all this is for: a manager makes an agent that reads the web, and a form for it, in the panel and without code; a person approves its outgoing mail
 * with a reaction, in the code that Element runs.
 */
import type { Page } from "playwright-core";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { sharedPanel } from "../browser/panel.ts";
import { startOutside } from "../harness/outside.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const outside = await startOutside();
afterAll(() => outside.stop());
const shared = sharedPlatform({ name: "tools-journey", env: { AGENTOPIA_ALLOW_HOSTS: outside.hosts } });
const panel = sharedPanel(shared);

const button = (page: Page, name: string | RegExp) =>
  page.getByRole("button", { name, exact: typeof name === "string" });

async function setMailServer(page: Page): Promise<void> {
  const mail = page.getByRole("region", { name: "Mail" });
  await mail.getByRole("textbox", { name: "Server" }).fill("127.0.0.1");
  await mail.getByRole("textbox", { name: "Port" }).fill(String(outside.mailPort));
  await mail.getByRole("combobox", { name: "Security" }).click();
  await page.getByRole("option", { name: /STARTTLS/ }).click();
  await mail.getByLabel("Sender").fill("Agents <agents@demo.test>");
  await mail.getByRole("button", { name: "Save" }).click();
  await page.getByText("The mail server is saved.").waitFor();
}

/** From a template, with a click each; it is put into the room `general`. */
async function makeResearcher(page: Page): Promise<void> {
  await button(page, "New agent").first().click();
  await button(page, "Make an agent: Web researcher").click();
  await button(page, "Publish").click();
  await page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
  await button(page, "Invite it to a room").click();
  await page.getByRole("checkbox", { name: "general" }).check();
  await button(page, "Invite it to 1 room").click();
  await page.getByText("Open it in your Matrix app: general").waitFor();
}

test("a manager makes a web-reading agent without code, and a person approves its mail with a reaction", {
  timeout: 180_000,
}, async () => {
  const { platform } = shared;
  const manager = await panel.person("manager");
  const opened = await panel.open("/c/demo/tools?tab=settings", manager);
  onTestFinished(() => opened.close());
  const { page } = opened;
  await setMailServer(page);
  await page.getByRole("navigation").getByRole("link", { name: "Agents", exact: true }).first().click();
  await makeResearcher(page);
  expect(opened.problems).toEqual([]);

  const agent = (await platform.agents()).find(({ name }) => name === "Researcher")?.userId ?? "";
  const alice = await platform.person("alice");
  const room = await alice.room("general");
  // Whoever approves is a moderator of the room, or a manager: the operator makes her one.
  const operator = await panel.operator();
  await operator.api("PUT", `/clients/demo/people/${encodeURIComponent(alice.userId)}/role`, { role: "manager" });
  outside.pages.set(
    "/offer",
    "<html><title>Offer</title><body><article><p>Bolts are four pence each until the end of May, for orders above a hundred.</p></article></body></html>",
  );
  const fetch = `[[call web_fetch ${JSON.stringify({ url: `${outside.url}/offer` })}]]`;
  const mail = `[[call mail_send ${JSON.stringify({ to: ["ann@example.org"], subject: "Bolts", text: "Four pence each." })}]]`;
  const question = await alice.ask(
    room,
    agent,
    `Read the offer and mail it to Ann ${fetch} ${mail} [[results]] #bolts`,
  );
  const asked = await alice.until("the agent's question", (seen) =>
    seen.find(({ content }) => content["dev.agentopia.approval"] && content.body?.includes("ann@example.org")),
  );
  expect(asked.content.body).toContain("**subject:** Bolts");
  expect(asked.content.body).toContain("Four pence each.");
  expect(outside.mails).toHaveLength(0);

  await alice.react(room, asked.event_id, "✅");
  expect((await alice.answer(question)).text).toContain("Bolts are four pence each");
  expect(outside.mails).toMatchObject([{ to: ["ann@example.org"], subject: "Bolts" }]);

  // The panel says what it did, who allowed it, and since when it had read something that nobody vouches for.
  await page.getByRole("navigation").getByRole("link", { name: "Runs", exact: true }).first().click();
  await page.getByRole("main").getByRole("link").filter({ hasText: "Researcher" }).first().click();
  await page.getByText("Read the offer and mail it to Ann").first().waitFor();
  const text = await page.getByRole("main").innerText();
  expect(text).toContain("ann@example.org");
  expect(text).toMatch(/alice/);
  expect(text).toContain(`${outside.url}/offer`);
});

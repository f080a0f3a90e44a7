/** Agents in the panel, in a real browser over a real homeserver: from a template to the first answer in a room, and everything after that. */
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { axe, type Look, type SignedIn, sharedPanel, sideways } from "../browser/panel.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "panel-agents" });
const panel = sharedPanel(shared);
const LONG = 120_000;

interface Facts {
  id: string;
  name: string;
  userId: string;
  version: number;
  revision: number;
  draft: Record<string, unknown> | null;
  definition: Record<string, unknown>;
}

async function open(address: string, as: SignedIn, look?: Look): Promise<{ page: Page; problems: string[] }> {
  const opened = await panel.open(address, as, look);
  onTestFinished(() => opened.close());
  return opened;
}

const field = (page: Page, label: string) => page.getByLabel(label, { exact: true });
const inDialog = (page: Page, name: string) => page.getByRole("dialog").getByRole("button", { name, exact: true });
const agentNamed = async (as: SignedIn, name: string): Promise<Facts> =>
  await as.api<Facts>("GET", `/clients/demo/agents/${encodeURIComponent(name)}`);
/** Who is asked what, as the model got it. */
const instructionsOf = (marker: string): string =>
  shared.platform.model
    .asked(marker)
    .at(-1)
    ?.messages.filter(({ role }) => role === "system")
    .map(({ text }) => text)
    .join("\n") ?? "";

test("from a template to the first answer in a room, and back to an earlier version", { timeout: LONG }, async () => {
  const operator = await panel.operator();
  const alice = await shared.platform.person("alice");
  const { page, problems } = await open("/c/demo/agents", operator);

  await page.getByRole("button", { name: "New agent" }).click();
  await page.getByRole("button", { name: "Make an agent: Meeting scribe" }).click();
  await page.getByRole("heading", { level: 1, name: "Scribe" }).waitFor();

  // Tried before anybody else knows of it, with what the form says at that moment.
  await field(page, "Instructions").fill("You keep minutes for {{company}}. ONE");
  await field(page, "Your question").fill("Who decided what? #tried");
  await page.keyboard.press("Enter");
  await page.getByText("Answer to #tried").waitFor();
  await page.getByText(/ s, .* tokens/).waitFor();
  expect(instructionsOf("#tried")).toContain("You keep minutes for Demo. ONE");

  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await inDialog(page, "Publish").click();
  await page.getByText("Scribe is ready. Now bring it to people.").waitFor();
  await page.getByRole("button", { name: "Invite it to a room" }).click();
  await page.getByRole("checkbox", { name: "general" }).check();
  await page.getByRole("button", { name: "Invite it to 1 room" }).click();
  await page.getByText("Open it in your Matrix app: general").waitFor();

  const { userId } = await agentNamed(operator, "Scribe");
  const room = await alice.room("general");
  const first = await alice.answer(await alice.ask(room, userId, "minutes, please #first"));
  expect(first).toMatchObject({ sender: userId, text: "Answer to #first" });

  await field(page, "Instructions").fill("You keep minutes for {{company}}. TWO");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByLabel("What changed (optional)").fill("Another number");
  await inDialog(page, "Publish").click();
  await page.getByText("Version 2").first().waitFor();
  await alice.answer(await alice.ask(room, userId, "again #second"));
  expect(instructionsOf("#second")).toContain("TWO");

  await page.getByRole("tab", { name: "Versions" }).click();
  await page.getByText("Another number").waitFor();
  await page.getByRole("button", { name: "Show what changed" }).first().click();
  await page.locator("ins mark").waitFor();
  expect(await page.locator("ins mark").allTextContents()).toEqual(["TWO"]);
  expect(await page.locator("del mark").allTextContents()).toEqual(["ONE"]);
  await page.getByRole("button", { name: "Go back to version 1" }).click();
  await inDialog(page, "Go back").click();
  await page.getByText("Version 3").first().waitFor();
  await alice.answer(await alice.ask(room, userId, "and now #third"));
  expect(instructionsOf("#third")).toContain("ONE");

  await page.getByRole("tab", { name: "Rooms" }).click();
  await page.getByRole("link", { name: "general", exact: true }).waitFor();
  await page.getByRole("tab", { name: "Runs" }).click();
  await page.getByRole("link", { name: "All its runs" }).waitFor();
  expect(problems).toEqual([]);
});

test("what is typed is saved by itself, and what cannot be saved is said and not lost", { timeout: LONG }, async () => {
  const operator = await panel.operator();
  const { page } = await open(`/c/demo/agents/${(await agentNamed(operator, "Planner")).id}`, operator);
  await field(page, "Purpose").fill("Plans with care.");
  await page.getByText("Saved as a draft").waitFor();
  expect((await agentNamed(operator, "Planner")).draft).toMatchObject({ description: "Plans with care." });

  await field(page, "Name").fill("Writer");
  await page.getByText("There is an agent called Writer already.").waitFor();
  await page.getByRole("link", { name: "Templates" }).click();
  await page.getByText("Leave without saving?").waitFor();
  await inDialog(page, "Cancel").click();
  expect(await field(page, "Name").inputValue()).toBe("Writer");
  await field(page, "Name").fill("Planner");
  await page.getByRole("link", { name: "Templates" }).click();
  await page.getByRole("heading", { level: 1, name: "Templates" }).waitFor();

  await page.goBack();
  await page.getByRole("button", { name: "More for Planner" }).click();
  await page.getByRole("menuitem", { name: "Discard the draft" }).click();
  await inDialog(page, "Discard").click();
  await page.getByText("The form shows what is published.").waitFor();
  expect((await agentNamed(operator, "Planner")).draft).toBeNull();
});

test("two people save the same agent: the second sees the conflict, and nothing is lost", {
  timeout: LONG,
}, async () => {
  const operator = await panel.operator();
  const manager = await panel.person("manager");
  const before = await agentNamed(operator, "Interviewer");
  const { page } = await open(`/c/demo/agents/${before.id}`, manager);
  await page.getByText("Saved", { exact: true }).waitFor();
  const theirs = { ...before.definition, description: "Theirs 🌱 <b>bold</b>" };
  // Both write at once: what is typed here is not saved yet when the other one is.
  await field(page, "Purpose").fill("Mine.");
  await operator.api("PUT", `/clients/demo/agents/${before.id}/draft`, {
    definition: theirs,
    revision: before.revision,
  });
  await page.getByText("Somebody saved this agent meanwhile").waitFor();
  await page.getByText("admin saved it while you were writing.").waitFor();
  await page.getByRole("dialog").getByText("Theirs 🌱 <b>bold</b>").waitFor();
  expect(await axe(page)).toEqual([]);
  await inDialog(page, "Take theirs").click();
  await page.getByRole("dialog").getByText("Mine.").waitFor();
  await inDialog(page, "I have what I need").click();
  expect(await field(page, "Purpose").inputValue()).toBe("Theirs 🌱 <b>bold</b>");

  await field(page, "Purpose").fill("Mine again.");
  const now = await agentNamed(operator, "Interviewer");
  await operator.api("PUT", `/clients/demo/agents/${before.id}/draft`, { definition: theirs, revision: now.revision });
  await inDialog(page, "Keep mine, over theirs").click();
  await page.getByText("Saved as a draft").waitFor();
  expect((await agentNamed(operator, "Interviewer")).draft).toMatchObject({ description: "Mine again." });
});

test("an agent whose template says something new shows it, keeps its own edits and takes the rest", {
  timeout: LONG,
}, async () => {
  const operator = await panel.operator();
  const writer = await agentNamed(operator, "Writer");
  const text = String(writer.definition.instructions);
  const lines = text.split("\n");
  const old = { ...writer.definition, instructions: lines.slice(0, -1).join("\n") };
  const own = { ...old, instructions: `Sign as Lena.\n\n${old.instructions}` };
  const { sql } = shared.platform.ctx;
  await sql`update agents set template_definition = ${JSON.stringify(old)}::text::jsonb,
    definition = ${JSON.stringify(own)}::text::jsonb where id = ${writer.id}`;
  const { page, problems } = await open("/c/demo/templates", operator);
  await page.getByRole("button", { name: "See what is new for Writer" }).click();
  await page
    .locator("ins")
    .getByText(lines.at(-1) ?? "")
    .waitFor();
  expect(await axe(page)).toEqual([]);
  await inDialog(page, "Take it").click();
  await page.getByText("Writer has it in its draft.").waitFor();
  await page.getByRole("button", { name: "See what is new for Writer" }).waitFor({ state: "detached" });
  expect((await agentNamed(operator, "Writer")).draft).toMatchObject({ instructions: `Sign as Lena.\n\n${text}` });
  expect(problems).toEqual([]);
});

test("an auditor reads and changes nothing; a member sees who there is and how to ask", { timeout: LONG }, async () => {
  const { id } = await agentNamed(await panel.operator(), "Writer");
  for (const look of [{ width: 1280 }, { width: 390, scheme: "dark" as const }]) {
    const auditor = await open(`/c/demo/agents/${id}`, await panel.person("auditor"), look);
    expect(await field(auditor.page, "Instructions").isDisabled()).toBe(true);
    expect(await auditor.page.getByRole("button", { name: "Publish", exact: true }).count()).toBe(0);
    const member = await open(`/c/demo/agents/${id}`, await panel.person("member"), look);
    await member.page.getByText("Ask it in a room").waitFor();
    expect(await member.page.getByLabel("Instructions").count()).toBe(0);
    const list = await open("/c/demo/agents", await panel.person("member"), look);
    await list.page.getByRole("link", { name: "Writer", exact: true }).waitFor();
    expect(await list.page.getByRole("button", { name: "New agent" }).count()).toBe(0);
    for (const { page, problems } of [auditor, member, list]) {
      expect(await axe(page)).toEqual([]);
      expect(await sideways(page)).toBe(false);
      expect(problems).toEqual([]);
    }
  }
});

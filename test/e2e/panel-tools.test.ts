/** Tools in the panel, in a real browser over a real homeserver: boundaries set in an agent's form, tried, approved, seen in the run, planned and taken back. */
import type { Locator, Page } from "playwright-core";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { axe, drawn, type Look, type SignedIn, sharedPanel, shoot, sideways } from "../browser/panel.ts";
import { eventually } from "../harness/eventually.ts";
import type { Person } from "../harness/person.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "panel-tools" });
const panel = sharedPanel(shared);
const LONG = 120_000;
let manager: SignedIn;
let alice: Person;
let room = "";

beforeAll(async () => {
  manager = await panel.person("manager");
  alice = await shared.platform.person("alice");
  room = await alice.room("general");
  const [agent] = shared.agents;
  const tools = JSON.stringify({ tools: { calculate: { policy: "ask" }, time: { policy: "allowed" } } });
  await shared.platform.ctx
    .sql`update agents set definition = definition || ${tools}::text::jsonb where user_id = ${agent!.userId}`;
}, LONG);

async function open(address: string, as: SignedIn, look?: Look): Promise<{ page: Page; problems: string[] }> {
  const opened = await panel.open(address, as, look);
  onTestFinished(() => opened.close());
  return opened;
}

/** What is wrong with how it looks now. */
async function looked(page: Page, name: string): Promise<string[]> {
  await drawn(page);
  await shoot(page, name);
  return [...(await axe(page)), ...((await sideways(page)) ? [`${name} is wider than the window`] : [])];
}

/** Arguments as they stand there: each by what people call it. */
async function said(within: Locator, label: string): Promise<string[]> {
  const all = within.getByRole("group", { name: label }).locator("dl > div");
  await all.first().waitFor();
  const texts = all.evaluateAll((each) =>
    each.map((one) =>
      [...one.children].map((part) => (part as unknown as { innerText: string }).innerText.trim()).join(": "),
    ),
  );
  return await texts;
}

const inMain = (page: Page, name: string) => page.locator("main").getByRole("button", { name, exact: true });
const waitingOnes = () => shared.platform.ctx.sql`select 1 from approvals where state = 'open'`;
const sum = (expression: string) => `[[call calculate ${JSON.stringify({ expression })}]] [[results]]`;

test("a manager says in the form what an agent may use, tries it, and is asked in the chat beside it", {
  timeout: LONG,
}, async () => {
  const { page, problems } = await open("/c/demo/agents", manager);
  await page.getByRole("button", { name: "New agent" }).click();
  await page.getByRole("button", { name: "Start blank" }).click();
  await page.getByRole("heading", { level: 1, name: "New agent" }).waitFor();
  await page.getByLabel("Name", { exact: true }).fill("Reckoner");

  const sums = page.getByRole("group", { name: "Sums", exact: true });
  await sums.getByRole("combobox", { name: "Sums: may it?" }).click();
  await page.getByRole("option", { name: "Ask a person" }).click();
  await sums.getByRole("button", { name: "Boundaries: Sums" }).click();
  await sums.getByLabel("Calls a day").fill("50");
  // Nothing of a sum goes outside, whatever was read before.
  await sums.getByRole("combobox", { name: "Sums: may it?" }).click();
  await page.getByRole("option", { name: "Allowed", exact: true }).click();
  await sums.getByText("Done without a question.", { exact: true }).waitFor();
  await sums.getByRole("combobox", { name: "Sums: may it?" }).click();
  await page.getByRole("option", { name: "Ask a person" }).click();
  const limits = sums.getByRole("textbox", { name: /^(Calls|Tokens)/ });
  // In rows: fields of one row stand at one height.
  const tops = await limits.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top));
  expect([tops.length, new Set(tops).size]).toEqual([4, 2]);
  const web = page.getByRole("group", { name: "Web", exact: true });
  await web.getByRole("combobox", { name: "Web: may it?" }).click();
  await page.getByRole("option", { name: "Allowed", exact: true }).click();
  await web.getByText("except when it would send something outside after reading something from outside").waitFor();
  await web.getByRole("combobox", { name: "Web: may it?" }).click();
  await page.getByRole("option", { name: "Allowed in direct chats" }).click();
  await web.getByRole("button", { name: "Boundaries: Web" }).click();
  await web.getByLabel("Only these").first().fill("example.org\n\n*.example.com\n");
  const fetching = web.getByRole("group", { name: "Call an address" });
  await fetching.getByRole("combobox").first().click();
  await page.getByRole("option", { name: "Never" }).click();
  expect(await looked(page, "agent-tools-1280-light")).toEqual([]);

  await page.getByLabel("Your question").fill(`${sum("6 * 7")} #tried`);
  await page.keyboard.press("Enter");
  const chat = page.getByRole("region", { name: "Try it" });
  await chat.getByText("wants to calculate 6 * 7").waitFor();
  expect(await said(chat, "Exactly this")).toEqual(["Expression: 6 * 7"]);
  expect(await looked(page, "agent-try-asks-1280-light")).toEqual([]);
  await chat.getByRole("button", { name: "Allow", exact: true }).click();
  await chat.locator(".agt-markdown").getByText("42").waitFor();

  const { draft } = await manager.api<{ draft: { tools: unknown } }>("GET", "/clients/demo/agents/Reckoner");
  expect(draft.tools).toEqual({
    calculate: { policy: "ask", perDay: 50 },
    web: { policy: "direct", allow: ["example.org", "*.example.com"] },
    http_call: { policy: "never" },
  });
  await page.getByLabel("Your question").fill(`${sum("1 + 1")} #refused`);
  await page.keyboard.press("Enter");
  await chat.getByRole("button", { name: "Refuse", exact: true }).click();
  await chat.getByLabel("Reason (optional)").fill("Do it in your head.");
  await chat.getByRole("button", { name: "Refuse", exact: true }).click();
  await chat.locator(".agt-markdown").getByText("Do it in your head.").waitFor();

  // It may search, and nothing to search with is set: said, and no hindrance.
  await page.locator("main").getByRole("button", { name: "Publish", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("It may search the web, but no search is set yet").waitFor();
  expect(await dialog.getByText("It may send mail").count()).toBe(0);
  const settings = dialog.getByRole("link", { name: "Set it under Tools → Settings" });
  expect(await settings.getAttribute("href")).toBe("/panel/c/demo/tools?tab=settings");
  expect(await looked(page, "agent-publish-unset-1280-light")).toEqual([]);
  await dialog.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText("Reckoner is published.").waitFor();
  expect(problems).toEqual([]);
});

test("what waits in a room is counted in the navigation and allowed on its page; the room and the run say who it was", {
  timeout: LONG,
}, async () => {
  const [agent] = shared.agents;
  const { page, problems } = await open("/c/demo/approvals", manager);
  await page.getByText("Nothing waits").waitFor();

  const question = await alice.ask(room, agent!.userId, `[[call time {}]] ${sum("17% * 340")} #room`);
  // It comes by itself.
  await page
    .locator("main")
    .getByText(/wants to calculate 17% \* 340/)
    .waitFor();
  await page.getByRole("navigation").getByText("1 waits for you").waitFor();
  expect(await looked(page, "approvals-waiting-1280-light")).toEqual([]);
  const covers = "use “Calculate” from this room without asking again, whoever asks, with whatever arguments";
  await page.getByText(`“Always in this room” goes further: it lets ${agent!.name} ${covers}.`).waitFor();
  await inMain(page, "Always in this room").click();
  await page
    .getByRole("dialog")
    .getByText(`This is not for this one call only. It lets ${agent!.name} ${covers}`)
    .waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Allow always" }).click();
  expect((await alice.answer(question)).text).toContain("57.8");
  await page.getByText("Nothing waits").waitFor();
  await alice.until("the room to say who it was", (seen) =>
    seen.some(({ content }) =>
      content["m.new_content"]?.body?.includes(
        `From now on ${agent!.name} may ${covers}, until somebody takes that back in the panel.`,
      ),
    ),
  );

  await page.getByRole("tab", { name: "Decided" }).click();
  await page.getByText(`by the-manager in the panel and from then on to ${covers}`).waitFor();
  await page.getByRole("link", { name: "The run" }).first().click();
  await page.getByRole("heading", { name: "Tool: Calculate" }).waitFor();
  await page.getByText(/the-manager allowed it in the panel/).waitFor();
  await page.getByRole("button", { name: "Show what went in and came back" }).last().click();
  await page.getByText("57.8").first().waitFor();
  expect(await looked(page, "run-tools-1280-light")).toEqual([]);

  await page.goto(page.url().replace(/\/runs\/.*/, "/approvals?tab=grants"));
  await page.getByText(`It may ${covers}.`).waitFor();
  expect(await looked(page, "approvals-grants-1280-light")).toEqual([]);
  await page.getByRole("button", { name: "Take back: Calculate in general" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Take it back" }).click();
  await page.getByText("Nothing is allowed for always").waitFor();
  expect(problems).toEqual([]);
});

test("an allowed mail that fails is said where it was decided and on the manager's first page", {
  timeout: LONG,
}, async () => {
  const [agent] = shared.agents;
  const mail = JSON.stringify({ mail: { policy: "ask" } });
  await shared.platform.ctx
    .sql`update agents set definition = jsonb_set(definition, '{tools}', definition->'tools' || ${mail}::text::jsonb) where user_id = ${agent!.userId}`;
  const args = { to: ["ann@example.org"], subject: "Offer", text: "Twelve." };
  const { page, problems } = await open("/c/demo/approvals", manager, { width: 390, scheme: "dark" });
  const question = await alice.ask(
    room,
    agent!.userId,
    `[[call mail_send ${JSON.stringify(args)}]] [[results]] #nomail`,
  );
  await inMain(page, "Allow").click();
  expect((await alice.answer(question)).text).toContain("mail server");
  await page.getByRole("tab", { name: "Decided" }).click();
  const became = page.getByRole("group", { name: "What became of it" }).first();
  await became.getByText("Failed").waitFor();
  await became.getByText(/mail server/).waitFor();
  expect(await looked(page, "approvals-failed-390-dark")).toEqual([]);

  const home = await open("/c/demo", manager, { width: 1280, scheme: "light" });
  await home.page.getByRole("link", { name: /One thing that an agent was to do failed in the last hour/ }).waitFor();
  expect(await looked(home.page, "home-call-failed-1280-light")).toEqual([]);
  await home.page.getByRole("link", { name: /One thing that an agent was to do failed/ }).click();
  await home.page.getByRole("heading", { name: "Tool: Send a mail" }).waitFor();
  expect([...problems, ...home.problems]).toEqual([]);
});

test("what is asked is read by people as it is: lists, prose and code, and nothing in it hides", {
  timeout: LONG,
}, async () => {
  const [agent] = shared.agents;
  const { sql } = shared.platform.ctx;
  const more = JSON.stringify({ mail: { policy: "ask" }, code: { policy: "ask" } });
  await sql`
    update agents set definition = jsonb_set(definition, '{tools}', definition->'tools' || ${more}::text::jsonb) where user_id = ${agent!.userId}`;
  const mail = {
    to: ["ann@example.org", "bob@example.org"],
    subject: "5",
    text: "Dear Ann,\n\nhere is the offer that we spo\u200bke of. It holds until the end of March.\n\nYours,\nMaya",
  };
  const code = { code: "const sums = [1, 2, 3];\nfor (const one of sums) {\n  console.log(one * 2);\n}" };
  await alice.ask(room, agent!.userId, `[[call mail_send ${JSON.stringify(mail)}]] [[results]] #mail`);
  await alice.ask(room, agent!.userId, `[[call run_javascript ${JSON.stringify(code)}]] [[results]] #code`);
  await eventually("two questions", async () => (await waitingOnes()).length === 2);
  for (const look of [
    { width: 1280, scheme: "light" },
    { width: 390, scheme: "dark" },
  ] as const) {
    const { page, problems } = await open("/c/demo/approvals", manager, look);
    await page.getByText(/wants to send a mail/).waitFor();
    const card = page.getByRole("listitem").filter({ hasText: "wants to send a mail" });
    expect(await said(card, "What it was given")).toEqual([
      "To: ann@example.org\nbob@example.org",
      "Subject: 5\ntext",
      `Text: ${mail.text.replace("\u200b", "U+200B")}`,
    ]);
    expect(await looked(page, `approvals-arguments-${look.width}-${look.scheme}`)).toEqual([]);
    await card.getByRole("button", { name: "Show as JSON" }).click();
    await card.getByText('"subject": "5"').waitFor();
    await card.getByText(/spo\\u200bke/).waitFor();
    expect(await looked(page, `approvals-json-${look.width}-${look.scheme}`)).toEqual([]);
    expect(problems).toEqual([]);
  }
  await sql`update approvals set state = 'declined' where state = 'open'`;
});

test("a member sees what their own question waits for, and may not decide it", {
  timeout: LONG,
}, async () => {
  const [agent] = shared.agents;
  const { sql } = shared.platform.ctx;
  const member = await panel.person("member");
  const { page } = await open("/c/demo/approvals", member, { width: 390, scheme: "dark" });
  await page.getByText("Nothing waits").waitFor();
  await alice.ask(room, agent!.userId, `${sum("2 + 2")} #own`);
  await eventually("a question", async () => (await waitingOnes()).length === 1);
  // As if the member had asked it, in the same room.
  await sql`update runs set on_behalf_of = ${member.name} where id in (select run_id from approvals where state = 'open')`;
  await page.reload();
  await page.getByText(/wants to calculate 2 \+ 2/).waitFor();
  expect(await page.locator("main").getByRole("button", { name: "Allow", exact: true }).count()).toBe(0);
  expect(await looked(page, "approvals-member-390-dark")).toEqual([]);
  await sql`update approvals set state = 'declined' where state = 'open'`;
});

test("a tool is tried with a form made from its schema; what it did stands among the calls", {
  timeout: LONG,
}, async () => {
  const { page, problems } = await open("/c/demo/tools", manager);
  await page.getByRole("button", { name: "Try Calculate" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox").fill("12 inch to cm");
  await dialog.getByRole("button", { name: "Do it" }).click();
  await dialog.getByText("30.48 cm").waitFor();
  expect(await looked(page, "tools-tried-1280-light")).toEqual([]);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Try Read a page of the web" }).click();
  const whole = dialog.getByRole("switch", { name: "The whole page" });
  await whole.waitFor();
  expect(await dialog.getByText("Everything on the page, with menus and lists of links.").count()).toBe(1);
  expect(await dialog.getByText("It is done for real, as if an agent did it: the address is asked.").count()).toBe(1);
  expect(await dialog.getByRole("textbox").evaluateAll((all) => all.map((one) => one.labels[0].innerText))).toEqual([
    "Address *",
    "Leave out at the beginning",
  ]);
  expect(await looked(page, "tools-try-page-1280-light")).toEqual([]);
  await page.keyboard.press("Escape");
  await page.getByRole("tab", { name: "Calls" }).click();
  await page.getByRole("button", { name: "Details: Calculate" }).first().click();
  await page.getByRole("dialog").getByText("30.48 cm").waitFor();
  expect(problems).toEqual([]);
});

test("people plan what an agent does for them, pause it and remove it", { timeout: LONG }, async () => {
  const operator = await panel.operator();
  const { page, problems } = await open("/c/demo/schedules", operator);
  await page.locator("main").getByRole("button", { name: "New schedule" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("combobox", { name: "Room" }).click();
  await page.getByRole("option", { name: "general" }).first().click();
  await dialog.getByRole("combobox", { name: "Agent" }).click();
  await page.getByRole("option").first().click();
  // By a part of the name, among those who are in the room.
  await dialog.getByRole("combobox", { name: "For whom" }).fill("ali");
  await page.getByRole("option", { name: alice.userId }).click();
  await dialog.getByLabel("What it is told").fill("Say good morning.");
  expect(await looked(page, "schedule-new-1280-light")).toEqual([]);
  await dialog.getByRole("button", { name: "Make it" }).click();
  await page.locator("main").getByText("Every day").waitFor();
  await inMain(page, "Pause: Say good morning.").click();
  await inMain(page, "Resume: Say good morning.").waitFor();
  expect(await looked(page, "schedules-1280-light")).toEqual([]);
  await inMain(page, "Remove: Say good morning.").click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await page.getByText("No schedules").waitFor();
  expect(problems).toEqual([]);
});

test("members are told what an agent may do, and whether somebody is asked", async () => {
  const member = await panel.person("member");
  const { items } = await member.api<{ items: { id: string; name: string }[] }>("GET", "/clients/demo/agents");
  const [agent] = shared.agents;
  const named = items.find(({ name }) => name === agent!.name)!;
  const { page } = await open(`/c/demo/agents/${named.id}`, member, { width: 390, scheme: "light" });
  await page.getByText("(after a person has allowed it)").first().waitFor();
  expect(await looked(page, "member-agent-tools-390-light")).toEqual([]);
});

test("a manager makes a person a moderator on the room's page, and the homeserver knows it", async () => {
  const ruth = await shared.platform.person("ruth");
  const room = await ruth.room("general");
  const address = `/c/demo/rooms/${encodeURIComponent(room)}`;
  const { page, problems, close } = await panel.open(address, await panel.person("manager"), { width: 390 });
  const rights = page.getByRole("combobox", { name: "Rights of ruth in this room" });
  expect(await rights.inputValue()).toBe("Member");
  await rights.click();
  await page.getByRole("option", { name: /^Moderator/ }).click();
  await page.getByText("Their app shows it in a moment.").waitFor();
  await expect.poll(() => rights.inputValue(), { timeout: 15_000 }).toMatch(/^Moderator/);
  await shoot(page, "room-moderator-390-light");
  expect([await axe(page), await sideways(page), problems]).toEqual([[], false, []]);
  await close();
  const { users } = (await ruth.client.getStateEvent(room, "m.room.power_levels", "")) as {
    users: Record<string, number>;
  };
  expect(users[ruth.userId]).toBe(50);
}, 60_000);

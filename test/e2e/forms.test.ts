/** Form tools on a real platform: made without code, filled in by a message, by an agent, by a link from a room and in the panel; each result once. */
import type { Locator, Page, Route } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import type { FormRunView, FormView } from "../../admin/api/forms-views.ts";
import { MAX_FIELDS } from "../../bots/forms/schema.ts";
import { axe, drawn, type SignedIn, sharedPanel, shoot, sideways } from "../browser/panel.ts";
import { OFFER, QUIZ } from "../forms/offer.ts";
import { eventually } from "../harness/eventually.ts";
import type { ModelServer } from "../harness/model-server.ts";
import type { Person } from "../harness/person.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "e2e-forms" });
const panel = sharedPanel(shared);
type RoomEvent = ReturnType<Person["seenIn"]>[number];

const F = "/clients/demo/forms";

let manager: SignedIn;
let member: SignedIn;
let alice: Person;
let general: string;
let writer: { id: string; userId: string };

beforeAll(async () => {
  manager = await panel.person("manager");
  member = await panel.person("member");
  alice = await shared.platform.person("alice");
  general = await alice.room("general");
  const [agent] = await shared.platform.ctx.sql<{ id: string; userId: string }[]>`
    select id, user_id as "userId" from agents where user_id = ${shared.agents[0]?.userId ?? ""}`;
  if (!agent) throw new Error("the demo client has an agent");
  writer = agent;
  const tools = JSON.stringify({ tools: { forms: { policy: "allowed" } } });
  await shared.platform.ctx
    .sql`update agents set definition = definition || ${tools}::text::jsonb where id = ${writer.id}`;
}, 120_000);

async function make(wish: object): Promise<FormView> {
  const draft = await manager.api<FormView>("POST", F, { definition: wish });
  return await manager.api<FormView>("POST", `${F}/${draft.id}/publish`, { revision: draft.revision });
}

/** Messages of a room that hold the words, of which there must be one when nothing more can come. */
const holding = (seen: RoomEvent[], room: string, words: string) =>
  seen.filter(
    ({ room_id, content, type }) =>
      room_id === room && type === "m.room.message" && content.body?.includes(words) && !content.body.includes("!"),
  );

test("a message fills in a form, its agent does it, and the answer replies to the message once", async () => {
  await make({
    ...OFFER,
    name: "offer",
    agent: writer.id,
    prompt: `${OFFER.prompt} [[text Dear customer, 12 EUR it is.]] #byagent`,
  });
  const command = await alice.say(general, "!offer customer=“ACME North” amount=12");
  const answer = await alice.until("the offer", (seen) => holding(seen, general, "12 EUR it is.")[0]);
  expect(answer.sender).toBe(writer.userId);
  expect(answer.content["m.relates_to"]).toMatchObject({ "m.in_reply_to": { event_id: command } });
  expect(shared.platform.model.asked("#byagent")).toHaveLength(1);
  expect(JSON.stringify(shared.platform.model.asked("#byagent")[0]?.messages)).toContain("ACME North");
  await alice.say(general, "!offer amount=12");
  const hint = await alice.until("what is missing", (seen) =>
    seen.find(({ content }) => content.body?.includes("customer is missing")),
  );
  expect(hint.content.msgtype).toBe("m.notice");
  expect(holding(await alice.history(general), general, "12 EUR it is.")).toHaveLength(1);
}, 60_000);

test("a model alone does a form with fields, and the room reads them", async () => {
  await make({ ...QUIZ, prompt: `${QUIZ.prompt} [[text {"question":"Why?","choices":["a","b"],"right":2}]] #quiz` });
  await alice.say(general, "!quiz the sea and its waves");
  const answer = await alice.until(
    "the quiz",
    (seen) => holding(seen, general, "Question: Why?")[0] ?? holding(seen, general, "**Question:** Why?")[0],
  );
  expect(answer.sender).toMatch(/^@agentopia:/);
  expect(answer.content["m.mentions"]).toEqual({ user_ids: [alice.userId] });
}, 60_000);

test("an agent fills in a form as a tool and answers with what came of it", async () => {
  await make({ ...OFFER, name: "price", prompt: "[[text It costs 99.]] #price {{customer}}" });
  const room = await alice.makeRoom({ name: "with-writer", invite: [writer.userId] });
  const question = await alice.ask(
    room,
    writer.userId,
    '[[call form_price {"customer":"Zed","amount":3}]] [[results]] #tool',
  );
  expect((await alice.answer(question, 60_000)).text).toContain("It costs 99.");
  const [row] = await shared.platform.ctx.sql`select via, by, state from form_runs where via = 'tool'`;
  expect(row).toEqual({ via: "tool", by: alice.userId, state: "done" });
}, 60_000);

test("a link posted in a room leads to the form, and the result comes back to the room", async () => {
  const form = await make({
    ...OFFER,
    name: "linked",
    title: "Linked offer",
    prompt: "[[text Linked result.]] #linked {{customer}}",
  });
  const fills = await shared.platform.person("the-member");
  const room = await fills.room("general");
  const managers = await panel.open(`/c/demo/forms/${form.id}`, manager, {});
  await managers.page.getByRole("button", { name: "Post a link in a room" }).click();
  const dialog = managers.page.getByRole("dialog");
  await look(managers.page, "form-link-1280-light");
  await dialog.getByLabel("Room").fill("general");
  await managers.page.getByRole("option", { name: "general" }).click();
  await dialog.getByRole("button", { name: "Post the link" }).click();
  await managers.page.getByText("The link will be in the room in a moment.").waitFor();
  await managers.close();
  const posted = await fills.until("the link", (seen) =>
    seen.find(({ content }) => content.formatted_body?.includes("Linked offer")),
  );
  const href = /href="([^"]+)"/.exec(posted.content.formatted_body ?? "")?.[1]?.replaceAll("&amp;", "&") ?? "";
  expect(href).toContain(`/panel/c/demo/forms/${form.id}?room=`);
  const address = href.slice(href.indexOf("/panel") + "/panel".length);
  const { page, problems, close } = await panel.open(address, member, { width: 390, scheme: "dark" });
  await page.getByText("The result is said in “general”").waitFor();
  await page.getByRole("button", { name: "Send" }).click();
  expect(await page.getByText("Fill this in.").count()).toBeGreaterThan(0);
  await look(page, "form-wrong-390-dark");
  await page.getByLabel("Customer").fill("Zed & Sons");
  await page.getByLabel("Amount").fill("7");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Linked result.").waitFor();
  await look(page, "form-result-390-dark");
  expect(problems).toEqual([]);
  await close();
  const said = await fills.until("the result", (seen) => holding(seen, room, "Linked result.")[0]);
  expect(said.content.body).toContain("**Linked offer**, filled in by the-member");
  expect(holding(await fills.history(room), room, "Linked result.")).toHaveLength(1);
}, 90_000);

test("a result that comes while the page still asks for it is shown", async () => {
  const form = await make({ ...OFFER, name: "late", prompt: "[[hold]] [[text Late result.]] #late {{customer}}" });
  const { page, problems, close } = await panel.open(`/c/demo/forms/${form.id}`, member, {});
  // What was read before the end reaches the page only after the page was told of the end.
  const held = async (route: Route) => {
    const read = await route.fetch();
    expect(((await read.json()) as FormRunView).state).not.toBe("done");
    await page.evaluate(listenUntilDone(form.id));
    // What is let go before it has come to the model would be held there for good.
    await shared.platform.model.until((model) => isHeld(model, "#late"), "the form is with the model");
    shared.platform.model.release();
    await page.evaluate("window.told");
    await route.fulfill({ response: read });
  };
  await page.route(/\/forms\/[^/]+\/runs\/[^/]+$/, held, { times: 1 });
  await page.getByLabel("Customer").fill("Zed");
  await page.getByLabel("Amount").fill("7");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Late result.").waitFor();
  expect(problems).toEqual([]);
  await close();
}, 60_000);

test("who filled it in stops what a model is still working on, and reads that it was stopped", async () => {
  const form = await make({ ...OFFER, name: "stopped", prompt: "[[hold]] #stopped {{customer}}" });
  const { page, problems, close } = await panel.open(`/c/demo/forms/${form.id}`, member, {
    width: 390,
    scheme: "dark",
  });
  await page.getByLabel("Customer").fill("Zed");
  await page.getByLabel("Amount").fill("7");
  await page.getByRole("button", { name: "Send" }).click();
  await shared.platform.model.until((model) => isHeld(model, "#stopped"), "the form is with the model");
  // Not `look`: it waits until nothing is under way.
  await shoot(page, "form-under-way-390-dark");
  expect([await axe(page), await sideways(page)]).toEqual([[], false]);
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText("It was stopped by the-member.").waitFor();
  await look(page, "form-stopped-390-dark");
  expect(await page.getByRole("button", { name: "Stop" }).count()).toBe(0);
  shared.platform.model.release();
  expect(problems).toEqual([]);
  await close();
}, 60_000);

const isHeld = (model: Pick<ModelServer, "heldNow">, marker: string) =>
  model.heldNow().some((request) => request.marker === marker);

/** In the page: hears what the page hears, until it is told of the end. */
const listenUntilDone = (formId: string) => `new Promise((listens) => {
  const stream = new EventSource("/api/v1/events");
  stream.addEventListener("listening", listens);
  window.told = new Promise((told) => stream.addEventListener("changed", async () => {
    const { items } = await (await fetch("/api/v1/clients/demo/forms/${formId}/runs")).json();
    if (items[0].state === "done") { stream.close(); told(); }
  }));
}).then(() => undefined)`;

/** Readable by everybody, and nothing wider than the window; a picture of it. */
async function look(page: Page, name: string): Promise<void> {
  await drawn(page);
  await shoot(page, name);
  expect([name, await axe(page), await sideways(page)]).toEqual([name, [], false]);
}

/** What a screen reader says of a field beside its name. */
const describedBy = async (field: Locator): Promise<string> =>
  await field.evaluate((element) =>
    (element.getAttribute("aria-describedby") ?? "")
      .split(" ")
      .map((id: string) => element.ownerDocument.getElementById(id)?.textContent ?? "")
      .join(" "),
  );

test("a manager makes a form without code, tries it, publishes it, changes it and sets it back", async () => {
  const { page, problems, close } = await panel.open("/c/demo/forms", manager, {});
  await page.getByRole("button", { name: "New form" }).first().click();
  await page.getByRole("textbox", { name: "Title" }).fill("Summer letter");
  await page.getByText("People write !summer_letter").waitFor();
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByRole("heading", { name: "Summer letter", level: 1 }).waitFor();
  const fields = page.getByRole("group", { name: "What is filled in" });
  await fields.getByRole("button", { name: "Add a field" }).click();
  await fields.getByRole("group", { name: "Field 1" }).getByLabel("Label").fill("To whom");
  await fields.getByRole("button", { name: "Add a field" }).click();
  const second = fields.getByRole("group").nth(1);
  await second.getByLabel("Label").fill("Tone");
  await second.getByRole("combobox", { name: "Kind" }).click();
  await page.getByRole("option", { name: "Choice" }).click();
  for (const choice of ["kind", "very short"]) {
    await second.getByRole("combobox", { name: "Choices" }).fill(choice);
    await page.keyboard.press("Enter");
  }
  const prompt = page.getByRole("textbox", { name: "Prompt" });
  // The caret was never in it: a field goes to the end.
  await page.getByRole("button", { name: "{{to_whom}}" }).click();
  expect(await prompt.inputValue()).toMatch(/filled in\.\{\{to_whom\}\}$/);
  await prompt.fill("[[text A letter.]] #letter ");
  await page.getByRole("button", { name: "{{to_whom}}" }).click();
  expect(await prompt.inputValue()).toBe("[[text A letter.]] #letter {{to_whom}}");
  await look(page, "form-edit-1280-light");
  await page.getByRole("textbox", { name: "To whom" }).fill("Zed");
  await page.getByRole("combobox", { name: "Tone" }).click();
  await page.getByRole("option", { name: "kind" }).click();
  await page.getByRole("button", { name: "Try it" }).click();
  await page.getByText("A letter.", { exact: true }).waitFor();
  await look(page, "form-tried-1280-light");
  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
  await page.getByText("Version 1", { exact: true }).first().waitFor();
  const [form] = (await member.api<{ items: FormView[] }>("GET", `${F}?q=summer`)).items;
  const input = (await member.api<FormView>("GET", `${F}/${form?.id}`)).input as {
    "x-order": string[];
    properties: Record<string, unknown>;
  };
  expect(input["x-order"]).toEqual(["to_whom", "tone"]);
  expect(input.properties.tone).toMatchObject({ type: "string", enum: ["kind", "very short"] });
  await fields.getByRole("button", { name: "Move Tone up" }).click();
  await page.getByText("Saved as a draft").waitFor();
  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
  await page.getByText("Version 2", { exact: true }).first().waitFor();
  await page.getByRole("tab", { name: "Versions" }).click();
  await page.getByRole("button", { name: "What changed" }).first().click();
  await look(page, "form-versions-1280-light");
  await page.getByRole("button", { name: "Back to version 1" }).click();
  await page.getByRole("button", { name: "Publish it again" }).click();
  await page.getByText("Version 3", { exact: true }).first().waitFor();
  expect(await page.getByText("Somebody else saved").count()).toBe(0);
  await page.getByRole("tab", { name: "Fill in" }).click();
  await page.getByText('!summer_letter to_whom="…" tone=kind', { exact: true }).waitFor();
  await page.getByRole("tab", { name: "Filled in" }).click();
  await page.getByRole("table", { name: "What was filled in" }).getByRole("button").first().click();
  await page.getByRole("tabpanel", { name: "Filled in" }).getByText("A letter.", { exact: true }).waitFor();
  await look(page, "form-runs-1280-light");
  expect(problems).toEqual([]);
  await close();
}, 120_000);

test("what is not saved because it cannot be is said where it is, also at phone width", async () => {
  const form = await manager.api<FormView>("POST", F, { definition: { ...OFFER, name: "wrong" } });
  const { page, problems, close } = await panel.open(`/c/demo/forms/${form.id}`, manager, {
    width: 390,
    scheme: "dark",
  });
  await page.getByRole("textbox", { name: "Short name" }).fill("help");
  await page.getByText("!help is a command already").waitFor();
  await look(page, "form-edit-390-dark");
  await page.getByRole("textbox", { name: "Short name" }).fill("right");
  await page.getByText("Saved as a draft").waitFor();
  await page.getByRole("button", { name: "Advanced: the JSON Schema" }).first().click();
  await look(page, "form-advanced-390-dark");
  const schema = page.getByRole("textbox", { name: "JSON Schema of the fields" });
  await schema.fill("{oops");
  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByText("It cannot be published yet: what stands under").waitFor();
  expect(await page.getByRole("dialog").count()).toBe(0);
  expect(await describedBy(schema)).toContain("This is no JSON.");
  await look(page, "form-no-json-390-dark");
  await schema.fill("");
  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByRole("dialog", { name: "Publish Offer" }).waitFor();
  expect(await schema.inputValue()).toContain('"customer"');
  expect(problems.filter((problem) => !problem.includes("400"))).toEqual([]);
  await close();
  await eventually(
    "the draft to be kept",
    async () => (await manager.api<FormView>("GET", `${F}/${form.id}`)).draft?.name === "right",
  );
}, 90_000);

test("a form takes 30 fields and says so; more of them as JSON are not saved, and whoever leaves is asked", async () => {
  const fields = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`f${at}`, { type: "string", title: `Nr ${at}` }]));
  const input = { type: "object", properties: fields(MAX_FIELDS - 1), required: [] };
  const form = await manager.api<FormView>("POST", F, { definition: { ...OFFER, name: "long", prompt: "Do.", input } });
  const { page, close } = await panel.open(`/c/demo/forms/${form.id}`, manager, { width: 390, scheme: "dark" });
  const add = page.getByRole("button", { name: "Add a field" });
  expect(await page.getByText("There may be 30 fields.").count()).toBe(0);
  await add.click();
  expect(await describedBy(add)).toBe("There may be 30 fields.");
  expect(await add.isDisabled()).toBe(true);
  await page.getByText("Saved as a draft").waitFor();
  await look(page, "form-full-390-dark");

  await page.getByRole("button", { name: "Advanced: the JSON Schema" }).first().click();
  const schema = page.getByRole("textbox", { name: "JSON Schema of the fields" });
  await schema.fill(JSON.stringify({ ...input, properties: fields(MAX_FIELDS + 1) }));
  await schema.blur();
  await page.getByText("It is not saved: look at what is said under Fields.").waitFor();
  await page.getByText("The form has 31 fields; there may be 30.").waitFor();
  await look(page, "form-unsaved-390-dark");
  await page.getByRole("link", { name: "Forms", exact: true }).first().click();
  const question = page.getByRole("dialog", { name: "Leave without saving?" });
  await question.getByRole("button", { name: "Cancel" }).click();
  expect(await page.getByRole("textbox", { name: "Label" }).count()).toBe(MAX_FIELDS + 1);
  await page.getByRole("button", { name: "Remove Nr 3", exact: true }).click();
  await page.getByText("Saved as a draft").waitFor();
  expect(await page.getByText("It is not saved").count()).toBe(0);
  await close();
}, 90_000);

test("a form that nobody has written is not published, and says what it lacks", async () => {
  const { page, problems, close } = await panel.open("/c/demo/forms", manager, {});
  await page.getByRole("button", { name: "New form" }).first().click();
  await page.getByRole("textbox", { name: "Title" }).fill("Bare");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByRole("heading", { name: "Bare", level: 1 }).waitFor();
  const publish = async (refusal: string) => {
    await page.getByRole("button", { name: "Publish" }).click();
    const dialog = page.getByRole("dialog", { name: "Publish Bare" });
    await dialog.waitFor();
    expect(await dialog.getByRole("alert").count()).toBe(0);
    await dialog.getByRole("button", { name: "Publish" }).click();
    await dialog.getByRole("alert").getByText(refusal).waitFor();
    expect(await dialog.getByText(refusal).count()).toBe(1);
    await look(page, `form-refused-${refusal.length}-1280-light`);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "hidden" });
  };
  await publish("This form has no fields yet. Add one first.");
  await page.getByRole("button", { name: "Add a field" }).click();
  await publish("Say in the prompt what is to be done with what was filled in.");
  expect(problems.filter((problem) => !problem.includes("400"))).toEqual([]);
  await close();
}, 60_000);

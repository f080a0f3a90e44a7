/** Planning in the panel, in a real browser over a real homeserver. */
import type { Page } from "playwright-core";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { axe, drawn, type Look, sharedPanel, shoot, sideways } from "../browser/panel.ts";
import type { Person } from "../harness/person.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "panel-schedules" });
const panel = sharedPanel(shared);
const LONG = 120_000;
let maya: Person;

beforeAll(async () => {
  maya = await shared.platform.person("maya");
  await maya.room("general");
}, LONG);

async function open(look: Look): Promise<{ page: Page; problems: string[] }> {
  const opened = await panel.open("/c/demo/schedules", await panel.operator(), look);
  onTestFinished(() => opened.close());
  return opened;
}

async function looked(page: Page, name: string): Promise<string[]> {
  await drawn(page);
  await shoot(page, name);
  return [...(await axe(page)), ...((await sideways(page)) ? [`${name} is wider than the window`] : [])];
}

/** The dialog, with all but the time filled in. */
async function begin(page: Page, task: string) {
  await page.locator("main").getByRole("button", { name: "New schedule" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("combobox", { name: "Room" }).click();
  await page.getByRole("option", { name: "general" }).first().click();
  await dialog.getByRole("combobox", { name: "Agent" }).click();
  await page.getByRole("option").first().click();
  await dialog.getByRole("combobox", { name: "For whom" }).fill("may");
  await page.getByRole("option", { name: maya.userId }).click();
  await dialog.getByLabel("What it is told").fill(task);
  return dialog;
}

test("a day of the week and a time of day are chosen, and the list says them in words", { timeout: LONG }, async () => {
  const { page, problems } = await open({ width: 1280, scheme: "light" });
  const dialog = await begin(page, "Sum up the week.");
  // As the browser's own clock has it, and every day at nine when nothing else is chosen.
  const here = await page.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
  expect(await dialog.getByRole("combobox", { name: "Time zone" }).inputValue()).toBe(here);
  expect(await dialog.getByLabel("At", { exact: true }).inputValue()).toBe("09:00");
  await dialog.getByRole("combobox", { name: "Days" }).click();
  await page.getByRole("option", { name: "Every Monday" }).click();
  await dialog.getByLabel("At", { exact: true }).fill("08:30");
  await dialog.getByRole("combobox", { name: "Time zone" }).fill("berlin");
  await page.getByRole("option", { name: "Europe/Berlin" }).click();
  expect(await looked(page, "schedules-new-days-1280-light")).toEqual([]);
  await dialog.getByRole("button", { name: "Make it" }).click();
  await page.locator("main").getByText("Every Monday at 08:30 (Europe/Berlin)").waitFor();
  expect(await looked(page, "schedules-words-1280-light")).toEqual([]);
  const told = await maya.until("the room to be told", (seen) =>
    seen.find(({ content }) => content.body?.includes("planned this in the panel")),
  );
  expect(told.content.body).toMatch(
    /^admin planned this in the panel for maya: .* does “Sum up the week\.” every Monday at 08:30 \(Europe\/Berlin\)\./,
  );
  expect(problems).toEqual([]);
});

test("a time that is over is said at its field; one that is to come is planned once", { timeout: LONG }, async () => {
  const { page, problems } = await open({ width: 390, scheme: "dark" });
  const dialog = await begin(page, "Remind us.");
  expect(await looked(page, "schedules-new-days-390-dark")).toEqual([]);
  await dialog.getByText("Once", { exact: true }).click();
  const at = dialog.getByLabel("Date and time");
  await at.fill("2020-01-01T09:00");
  await dialog.getByText("This time is over. Choose one that is still to come.").waitFor();
  expect(await dialog.getByRole("button", { name: "Make it" }).isDisabled()).toBe(true);
  expect(await looked(page, "schedules-new-over-390-dark")).toEqual([]);
  const soon = new Date(shared.platform.ctx.clock.now() + 86_400_000);
  await at.fill(
    await page.evaluate(
      (ms) => new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16),
      soon.getTime(),
    ),
  );
  await dialog.getByRole("button", { name: "Make it" }).click();
  await page.locator("main").getByText("Planned once").waitFor();
  await shared.platform.ctx.sql`update schedules set state = 'done', next_at = null where task = 'Remind us.'`;
  await page.reload();
  await page.locator("main").getByText("Done once").waitFor();
  expect(await looked(page, "schedules-words-390-dark")).toEqual([]);
  expect(problems).toEqual([]);
});

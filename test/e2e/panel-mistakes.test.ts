/** What people do wrong in the panel, and what goes away under their hands: said in a sentence, with a way on. */
import { expect, onTestFinished, test } from "vitest";
import { type Opened, type SignedIn, sharedPanel } from "../browser/panel.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "panel-mistakes" });
const panel = sharedPanel(shared);

async function open(address: string, as: SignedIn): Promise<Opened> {
  const opened = await panel.open(address, as);
  onTestFinished(() => opened.close());
  return opened;
}

test("a client that is removed: followed until it is gone, and its pages say so", async () => {
  const operator = await panel.operator();
  const wish = {
    id: "leaver",
    title: "Leaver",
    driver: "external",
    serverName: "leaver.test",
    url: "http://127.0.0.1:9",
  };
  await operator.api("POST", "/clients", wish);
  const { page } = await open("/c/leaver/homeserver", operator);
  await page.getByRole("button", { name: "Remove the client …" }).click();
  const dialog = page.getByRole("dialog", { name: "Remove Leaver?" });
  await dialog.getByLabel("Type leaver to confirm").fill("leaver");
  await dialog.getByLabel("Keep a backup of it first").uncheck();
  await dialog.getByRole("button", { name: "Remove the client", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "Clients" }).waitFor();
  const removal = page.getByRole("dialog", { name: "Removing Leaver" });
  await removal.getByText("The client is removed.").waitFor();
  await page.keyboard.press("Escape");
  await removal.waitFor({ state: "detached" });
  await page.goBack();
  await page.getByText("There is no client here: it was removed, or the address is not right.").waitFor();
  expect(await page.getByRole("button", { name: "Remove the client …" }).count()).toBe(0);
});

test("publishing without a name leads to the field that says so", async () => {
  const { items } = await (await panel.operator()).api<{ items: { id: string }[] }>("GET", "/clients/demo/agents");
  const { page } = await open(`/c/demo/agents/${items[0]?.id}`, await panel.person("manager"));
  const name = page.getByRole("textbox", { name: "Name", exact: true });
  await name.fill("");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText("This cannot be empty.").waitFor();
  await page.locator("main :focus[aria-invalid=true]").waitFor();
  expect(await page.evaluate("document.activeElement.labels[0].textContent")).toBe("Name");
  expect(await page.getByRole("dialog").count()).toBe(0);
});

test("a spreadsheet that is no CSV is said before it is sent", async () => {
  const { page } = await open("/c/demo/people", await panel.person("manager"));
  await page.getByRole("button", { name: /import/i }).click();
  const buffer = Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 0xff, 0xfe, 8, 0]);
  await page.locator('input[type="file"]').setInputFiles({ name: "people.csv", mimeType: "text/csv", buffer });
  await page.getByRole("button", { name: "Look at it first" }).click();
  await page.getByText("This is no CSV file. In Excel, choose Save as → CSV.").waitFor();
});

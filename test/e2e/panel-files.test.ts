/** The files page as a manager uses it, with a browser. */
import { readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { axe, type Opened, type SignedIn, sharedPanel, shoot } from "../browser/panel.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "panel-files" });
const panel = sharedPanel(shared);

async function open(address: string, as: SignedIn): Promise<Opened> {
  const opened = await panel.open(address, as);
  onTestFinished(() => opened.close());
  return opened;
}

test("a manager uploads a file into a folder, gets it back as it was, replaces and removes it", async () => {
  const { page, problems } = await open("/c/demo/files", await panel.person("manager"));
  await page.getByText("No files yet").waitFor();
  const upload = (text: string) =>
    page
      .locator('input[type="file"]')
      .first()
      .setInputFiles({ name: "Preise März.html", mimeType: "text/html", buffer: Buffer.from(text) });
  await page.getByLabel("Folder").fill("sales/2026");
  await page.getByText("Nothing in this folder").waitFor();
  await upload("<script>alert(1)</script>");
  await page.getByText("sales/2026/Preise März.html is uploaded.").waitFor();
  const link = page.getByRole("link", { name: "Download sales/2026/Preise März.html" });
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  expect(download.suggestedFilename()).toBe("Preise März.html");
  expect(readFileSync(await download.path(), "utf8")).toBe("<script>alert(1)</script>");
  expect(await axe(page)).toEqual([]);
  await shoot(page, "files");
  await upload("new");
  await page.getByRole("button", { name: "Replace the file" }).click();
  await page.getByText("3 B", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Remove sales/2026/Preise März.html" }).click();
  await page.getByRole("button", { name: "Remove the file" }).click();
  await page.getByText("Nothing in this folder").waitFor();
  expect(problems).toEqual([]);
});

test("a folder that leads out is said to, and nothing is uploaded", async () => {
  const manager = await panel.person("manager");
  const { page } = await open("/c/demo/files", manager);
  await page.getByLabel("Folder").fill("../secret");
  await page.getByText("A path goes down only: no part is . or ..").first().waitFor();
  await page
    .locator('input[type="file"]')
    .first()
    .setInputFiles({ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("x") });
  await expect.poll(() => page.getByText("A path goes down only").count(), { timeout: 15_000 }).toBeGreaterThan(1);
  expect(await manager.api("GET", "/clients/demo/files")).toMatchObject({ items: [] });
});

test("an auditor sees the files and has no button to change them", async () => {
  const { page } = await open("/c/demo/files", await panel.person("auditor"));
  await page.getByText("No files yet").waitFor();
  expect(await page.getByRole("button", { name: "Upload" }).count()).toBe(0);
});

/** The settings of tools as a manager makes them, with a browser. */
import { expect, onTestFinished, test } from "vitest";
import { axe, type Opened, type SignedIn, sharedPanel, shoot } from "../browser/panel.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({
  name: "panel-tool-settings",
  // Allowed, and nothing listens there.
  env: { AGENTOPIA_ALLOW_HOSTS: "127.0.0.2:4465" },
});
const panel = sharedPanel(shared);

async function open(address: string, as: SignedIn, look = {}): Promise<Opened> {
  const opened = await panel.open(address, as, look);
  onTestFinished(() => opened.close());
  return opened;
}

test("a manager sets the mail server, is told what is wrong at its field, and tries it", async () => {
  const { page, problems } = await open("/c/demo/tools?tab=settings", await panel.person("manager"));
  const mail = page.getByRole("region", { name: "Mail" });
  await mail.getByRole("textbox", { name: "Server" }).fill("127.0.0.1");
  await mail.getByLabel("Sender").fill("agents");
  await mail.getByRole("button", { name: "Save" }).click();
  await mail.getByText("leads to this machine itself").waitFor();
  await mail.getByText("Write one address, as agents@example.org").waitFor();
  await mail.getByRole("textbox", { name: "Server" }).fill("93.184.215.14");
  await mail.getByLabel("User name").fill("agents");
  await mail.getByLabel("Password", { exact: true }).fill("hush-hush");
  await mail.getByLabel("Sender").fill("Agents <agents@example.org>");
  await mail.getByRole("button", { name: "Save" }).click();
  await page.getByText("The mail server is saved.").waitFor();
  await mail.getByText("A password is stored. Type a new one to replace it.").waitFor();
  await mail.getByRole("textbox", { name: "Server" }).fill("93.184.215.15");
  await mail.getByText("Type the password again").waitFor();
  await mail.getByText("Save first: what is saved is tried.").waitFor();
  expect(await mail.getByRole("button", { name: "Try it" }).isDisabled()).toBe(true);
  await mail.getByRole("button", { name: "Save" }).click();
  await expect.poll(() => mail.getByText("Type the password again").count(), { timeout: 15_000 }).toBe(2);
  await mail.getByRole("button", { name: "Remove the mail server" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove the mail server" }).click();
  await page.getByText("The mail server is removed.").waitFor();
  // The form is drawn anew when the settings have come.
  await expect.poll(() => mail.getByRole("textbox", { name: "Server" }).inputValue(), { timeout: 15_000 }).toBe("");
  expect(await axe(page)).toEqual([]);
  expect(problems.filter((problem) => !problem.includes("status of 400"))).toEqual([]);
});

test("another password or key alone is saved: nothing of it stays in the form, and what was tried before is not said any more", async () => {
  const manager = await panel.person("manager");
  await manager.api("PUT", "/clients/demo/tool-settings", {
    mail: {
      host: "93.184.215.14",
      port: 465,
      secure: true,
      user: "agents",
      from: "agents@example.org",
      password: "old",
    },
    search: { kind: "brave", url: null, key: "old" },
  });
  const { page, problems } = await open("/c/demo/tools?tab=settings", manager);
  const mail = page.getByRole("region", { name: "Mail" });
  const tryIt = mail.getByRole("button", { name: "Try it" });
  const result = mail.getByRole("status");
  await tryIt.click();
  await result.waitFor();
  const password = mail.getByLabel("Password", { exact: true });
  await password.fill("new-password");
  await mail.getByText("Save first: what is saved is tried.").waitFor();
  await shoot(page, "tool-settings-mail-changed");
  await mail.getByRole("button", { name: "Save" }).click();
  await page.getByText("The mail server is saved.").waitFor();
  await expect.poll(() => password.inputValue(), { timeout: 15_000 }).toBe("");
  await mail.getByText("Empty: signs in only, and sends nothing").waitFor();
  expect(await tryIt.isEnabled()).toBe(true);
  expect(await result.count()).toBe(0);
  expect(await mail.getByText("A password is stored. Type a new one to replace it.").count()).toBe(1);
  await shoot(page, "tool-settings-mail-saved");

  const search = page.getByRole("region", { name: "Web search" });
  const key = search.getByLabel("Key", { exact: true });
  await key.fill("new-key");
  await search.getByRole("button", { name: "Save" }).click();
  await page.getByText("The search is saved.").waitFor();
  await expect.poll(() => key.inputValue(), { timeout: 15_000 }).toBe("");
  await manager.api("PUT", "/clients/demo/tool-settings", { mail: null, search: null });
  expect(problems).toEqual([]);
});

test("a manager sets how long questions wait; who may only read sees it", async () => {
  const manager = await panel.person("manager");
  const { page, problems } = await open("/c/demo/tools?tab=settings", manager, { width: 390, scheme: "dark" });
  const part = page.getByRole("region", { name: "Questions to people" });
  const field = part.getByRole("combobox", { name: "A question waits for" });
  expect(await field.inputValue()).toBe("30 minutes");
  await field.click();
  await page.getByRole("option", { name: "A day" }).click();
  await page.getByText("It holds for questions from now on.").waitFor();
  await shoot(page, "tool-settings-approvals-390-dark");
  expect(await axe(page)).toEqual([]);
  const { approvalMinutes } = await manager.api<{ approvalMinutes: number }>("GET", "/clients/demo/tool-settings");
  expect(approvalMinutes).toBe(1440);
  await manager.api("PUT", "/clients/demo/tool-settings", { approvalMinutes: 45 });
  await expect.poll(() => field.inputValue(), { timeout: 15_000 }).toBe("45 minutes");
  expect(problems).toEqual([]);
});

test("a manager adds a secret, changes where it goes and removes it", async () => {
  const { page } = await open("/c/demo/tools?tab=settings", await panel.person("manager"));
  await page.getByRole("button", { name: "Add a secret" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("My CRM");
  await dialog.getByLabel("Hosts").fill("api.example.org");
  await dialog.getByLabel(/^Secret/).fill("Bearer hush-hush");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("A name has small letters").waitFor();
  await dialog.getByLabel("Name").fill("crm");
  await shoot(page, "tool-secret");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("crm is kept.").waitFor();
  await page.getByRole("button", { name: "Change crm" }).click();
  await dialog.getByLabel("Hosts").fill("api.example.org\nevil.test");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("it would go to a host to which it did not go before").waitFor();
  await page.keyboard.press("Escape");
  await shoot(page, "tool-settings");
  expect(await axe(page)).toEqual([]);
  await page.getByRole("button", { name: "Remove crm" }).click();
  await page.getByRole("button", { name: "Remove the secret" }).click();
  await page.getByText("No secrets yet").waitFor();
});

test("at phone width", async () => {
  const { page } = await open("/c/demo/tools?tab=settings", await panel.person("auditor"), {
    width: 390,
    scheme: "dark",
  });
  await page.getByText("No mail server yet: agents send no mails. A manager sets one.").waitFor();
  await shoot(page, "tool-settings-phone");
  expect(await page.getByRole("button", { name: "Save" }).count()).toBe(0);
});

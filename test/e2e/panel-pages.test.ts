/** Every page of the panel, wide and narrow, light and dark, as each kind of person: readable by everybody, nothing wider than the window, a picture of each. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { createLink } from "../../admin/sign-in/links.ts";
import { ROOT } from "../../core/config.ts";
import { axe, drawn, type SignedIn, sharedPanel, shoot, sideways } from "../browser/panel.ts";
import { OFFER } from "../forms/offer.ts";
import { eventually } from "../harness/eventually.ts";
import type { Person } from "../harness/person.ts";
import { makeResultsFolder } from "../harness/results.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "panel-pages" });
const panel = sharedPanel(shared);

/** Names of the pages' pictures and their addresses; `:agent` and the like stand for what the set-up made. */
const PLATFORM: [name: string, address: string][] = [
  ["home", "/"],
  ["account", "/account"],
  ["clients", "/clients"],
  ["models", "/models"],
  ["runs", "/runs"],
  ["usage", "/usage"],
  ["audit", "/audit"],
  ["operators", "/operators"],
];
const CLIENT: [name: string, address: string][] = [
  ["client-home", "/c/:client"],
  ["agents", "/c/:client/agents"],
  ["agent", "/c/:client/agents/:agent"],
  ["templates", "/c/:client/templates"],
  ["teams", "/c/:client/teams"],
  ["room", "/c/:client/rooms/:room"],
  ["people", "/c/:client/people"],
  ["person", "/c/:client/people/:user"],
  ["invites", "/c/:client/invites"],
  ["client-models", "/c/:client/models"],
  ["forms", "/c/:client/forms"],
  ["form", "/c/:client/forms/:form"],
  ["tools", "/c/:client/tools"],
  ["tool-calls", "/c/:client/tools?tab=calls"],
  ["tool-settings", "/c/:client/tools?tab=settings"],
  ["approvals", "/c/:client/approvals"],
  ["schedules", "/c/:client/schedules"],
  ["files", "/c/:client/files"],
  ["client-runs", "/c/:client/runs"],
  ["run", "/c/:client/runs/:run"],
  ["client-usage", "/c/:client/usage"],
  ["client-audit", "/c/:client/audit"],
  ["homeserver", "/c/:client/homeserver"],
];
const MANAGER = ["home", "account", ...CLIENT.map(([name]) => name)].filter(
  (name) => !["client-home", "client-audit", "homeserver"].includes(name),
);
const MEMBER = ["home", "account", "agents", "agent", "templates", "teams", "room", "client-runs"].concat(
  "forms",
  "form",
  "approvals",
  "schedules",
);
const pages = new Map([...PLATFORM, ...CLIENT]);

const facts: Record<string, string> = { client: "demo" };
const fill = (address: string) =>
  address.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(facts[name] ?? `no-${name}`));

/** What the pages show: somebody asked an agent in a room, an invite is open, an agent is a draft. */
beforeAll(async () => {
  const operator = await panel.operator();
  const maya = await shared.platform.person("maya");
  facts.user = maya.userId;
  const [agent] = shared.agents;
  const room = await maya.room("general");
  facts.room = room;
  await maya.answer(await maya.ask(room, agent!.userId, "Three words about the sea?"));
  const list = async (what: string) =>
    (await operator.api<{ items: { id: string }[] }>("GET", `/clients/demo/${what}`)).items[0]?.id ?? "";
  facts.agent = await list("agents");
  await someToolsAreUsed(maya, agent!.userId, room);
  facts.run = await list("runs");
  await operator.api("POST", "/clients/demo/invites", { maxUses: 3 });
  await strangersAreRefused();
}, 120_000);

/** What the audit log says in sentences: wrong passwords, more than once, and an API token that there is not. */
async function strangersAreRefused(): Promise<void> {
  const { url, ctx } = shared.platform;
  const headers = { "content-type": "application/json", origin: url, "sec-fetch-site": "same-origin" };
  for (const name of ["admin", "admin", "hunter2"])
    await fetch(`${url}/api/v1/sign-in`, {
      method: "POST",
      headers,
      body: JSON.stringify({ name, password: "wrong-wrong" }),
    });
  await fetch(`${url}/api/v1/clients`, { headers: { authorization: "Bearer agt_guessed" } });
  await eventually("the count of wrong passwords", async () => {
    const [line] =
      await ctx.sql`select 1 from audit where action = 'session.sign_in_refused' and after->>'tries' = '2'`;
    return line;
  });
}

/** One call is done, one waits for a person; a form is there to be filled in, and something is planned. */
async function someToolsAreUsed(maya: Person, userId: string, room: string): Promise<void> {
  const operator = await panel.operator();
  const { sql } = shared.platform.ctx;
  const tools = { time: { policy: "allowed" }, calculate: { policy: "ask", perDay: 20 }, web: { policy: "direct" } };
  const [agent] = await sql<{ id: string }[]>`
    update agents set definition = definition || ${JSON.stringify({ tools })}::text::jsonb where user_id = ${userId} returning id`;
  await maya.ask(room, userId, '[[call time {}]] [[call calculate {"expression":"17% * 340"}]] [[results]] #waits');
  await eventually("the agent to ask", async () => (await sql`select 1 from approvals`).length > 0);
  const form = await operator.api<{ id: string; revision: number }>("POST", "/clients/demo/forms", {
    definition: { ...OFFER, agent: agent?.id },
  });
  await operator.api("POST", `/clients/demo/forms/${form.id}/publish`, { revision: form.revision });
  facts.form = form.id;
  await operator.api("POST", "/clients/demo/schedules", {
    agent: agent?.id,
    room,
    person: maya.userId,
    task: "Sum up what was decided this week, with who does what until when.",
    time: { cron: "0 9 * * 1", zone: "Europe/Berlin" },
  });
}

test("every page of the panel is looked at here", () => {
  const text = readFileSync(path.join(ROOT, "admin/web/pages.ts"), "utf8");
  const addresses = [...text.matchAll(/path: "([^"]+)"/g)].map((match) => match[1]);
  // Tabs of a page have the same address.
  const looked = new Set([...pages.values()].map((address) => address.split("?")[0]));
  expect([...looked].sort()).toEqual(addresses.sort());
});

type Looks = readonly (readonly [width: number, schemes: readonly ("light" | "dark")[]])[];
const ALL: Looks = [
  [1280, ["light", "dark"]],
  [390, ["dark", "light"]],
];
/** For those who see less of the same page. */
const TWO: Looks = [
  [1280, ["light"]],
  [390, ["dark"]],
];

/** Opens it at both widths, changes the colours under it, and looks. */
async function look(name: string, address: string, as: SignedIn | null, looks = ALL): Promise<void> {
  const found: string[] = [];
  for (const [width, schemes] of looks) {
    const { page, problems, close } = await panel.open(address, as, { width, scheme: schemes[0] ?? "light" });
    for (const scheme of schemes) {
      await page.emulateMedia({ colorScheme: scheme });
      await drawn(page);
      const at = `${width} ${scheme}`;
      found.push(...(await axe(page, scheme === schemes[0] ? "all" : "colours")).map((fault) => `${at}: ${fault}`));
      if (await sideways(page)) found.push(`${at}: is wider than the window`);
      await shoot(page, `${name}-${width}-${scheme}`);
    }
    const headings = await page.locator("h1").count();
    if (headings !== 1) found.push(`${width}: has ${headings} h1`);
    if (!/.+ · Agentopia$/.test(await page.title())) found.push(`${width}: is called “${await page.title()}”`);
    if ((await page.getByText("Nothing here").count()) > 0) found.push(`${width}: nothing here`);
    found.push(...problems.map((problem) => `${width}: ${problem}`));
    await close();
  }
  expect(found).toEqual([]);
}

test.each([...pages])("operator: %s", async (name, address) => {
  await look(name, fill(address), await panel.operator());
});

test.each(MANAGER)("manager: %s", async (name) => {
  await look(`manager-${name}`, fill(pages.get(name)!), await panel.person("manager"), TWO);
});

test.each(MEMBER)("member: %s", async (name) => {
  await look(`member-${name}`, fill(pages.get(name)!), await panel.person("member"), TWO);
});

/** Dialogs, by the page and the button that opens them. */
const DIALOGS: [name: string, page: string, button: string][] = [
  ["new-agent", "agents", "New agent"],
  ["add-client", "clients", "Add a client"],
  ["add-model", "models", "Add a model"],
  ["add-operator", "operators", "Add an operator"],
  ["make-team", "teams", "Make a team"],
  ["import-people", "people", "Import from CSV"],
  ["new-invite", "invites", "New invite link"],
  ["second-factor", "account", "Set up"],
  ["make-token", "account", "Make a token"],
  ["add-agent", "room", "Add an agent"],
  ["add-people", "room", "Add people"],
  ["change-client", "homeserver", "Change"],
  ["instructions", "templates", "Instructions: Interviewer"],
  ["try-tool", "tools", "Try Calculate"],
  ["tool-call", "tool-calls", "Details: Tell the time"],
  ["new-schedule", "schedules", "New schedule"],
  ["refused-sign-in", "audit", "Sign-in refused"],
];

test.each(DIALOGS)("dialog: %s", async (name, on, button) => {
  const found: string[] = [];
  for (const [width, schemes] of TWO) {
    const as = await panel.operator();
    const { page, problems, close } = await panel.open(fill(pages.get(on)!), as, {
      width,
      scheme: schemes[0] ?? "light",
    });
    await page.locator("main").getByRole("button", { name: button, exact: true }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    await drawn(page);
    found.push(...(await axe(page)).map((fault) => `${width}: ${fault}`));
    if (await sideways(page)) found.push(`${width}: is wider than the window`);
    const file = path.join(makeResultsFolder("panel"), `dialog-${name}-${width}-${schemes[0]}.png`);
    await page.screenshot({ path: file, animations: "disabled" });
    await page.keyboard.press("Escape");
    // The first Esc closed the list of an open field.
    if (await page.locator('[aria-expanded="false"]:focus').count()) await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    found.push(...problems.map((problem) => `${width}: ${problem}`));
    await close();
  }
  expect(found).toEqual([]);
});

test("stranger: sign-in", async () => {
  await look("sign-in", "/", null);
});

test("stranger: a link", async () => {
  const wish = { kind: "password", tenantId: "demo", userId: facts.user!, createdBy: "Maya", ttlMs: 600_000 } as const;
  const { url } = await createLink(shared.platform.ctx, wish);
  await look("link", new URL(url).pathname.replace("/panel", ""), null);
});

test("stranger: a link that is none", async () => {
  const { page, close } = await panel.open("/link/no-such-token", null);
  expect(await axe(page)).toEqual([]);
  await shoot(page, "link-none-1280-light");
  await close();
});

/** Names of more than 60 signs without a space, on every list that shows names: nothing is wider than the window, squeezed to letters or cut without a word. */
import type { Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { drawn, sharedPanel, shoot, sideways } from "../browser/panel.ts";
import { OFFER } from "../forms/offer.ts";
import { eventually } from "../harness/eventually.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "panel-long-names" });
const panel = sharedPanel(shared);
const LONG = "Protokollführungsassistentinnenversammlungsleitungsvertretung_2026";
let agentId = "";
let room = "";
let form = "";
let run = "";

beforeAll(async () => {
  const operator = await panel.operator();
  const { sql } = shared.platform.ctx;
  const maya = await shared.platform.person("maya");
  const [agent] = shared.agents;
  room = await maya.room("general");
  const tools = JSON.stringify({ time: { policy: "allowed" }, calculate: { policy: "ask" } });
  const [row] = await sql<{ id: string }[]>`
    update agents set definition = jsonb_set(definition, '{tools}', ${tools}::text::jsonb) where user_id = ${agent!.userId} returning id`;
  agentId = row!.id;
  const ask = `[[call time {}]] [[call calculate ${JSON.stringify({ expression: LONG })}]] [[results]]`;
  await maya.ask(room, agent!.userId, `${ask} #waits`);
  await eventually(
    "the agent to ask",
    async () => (await sql`select 1 from approvals where state = 'open'`).length > 0,
  );
  await operator.api("POST", "/clients/demo/schedules", {
    agent: agentId,
    room,
    person: maya.userId,
    task: LONG,
    time: { cron: "0 9 * * 1", zone: "Europe/Berlin" },
  });
  const made = await operator.api<{ id: string; revision: number }>("POST", "/clients/demo/forms", {
    definition: {
      ...OFFER,
      agent: agentId,
      title: LONG.slice(0, 60),
      name: LONG.toLowerCase()
        .replaceAll(/[^a-z0-9_]/g, "")
        .slice(0, 32),
    },
  });
  form = made.id;
  await operator.api("POST", `/clients/demo/forms/${form}/publish`, { revision: made.revision });
  await sql`insert into files ${sql({ id: "long", tenant_id: "demo", path: `${LONG}/${LONG}.md`, bytes: Buffer.from("x"), size: 1, content_type: "text/markdown", written_by: maya.userId })}`;
  [{ id: run }] = (await operator.api<{ items: [{ id: string }] }>("GET", "/clients/demo/runs")).items;
  await sql`update agents set name = ${LONG}, definition = definition || ${JSON.stringify({ name: LONG })}::text::jsonb where id = ${agentId}`;
  await sql`update rooms set channel = ${LONG}, state = state || ${JSON.stringify({ name: LONG })}::text::jsonb where room_id = ${room}`;
  await maya.client.setDisplayName(LONG);
  await eventually(
    "her name",
    async () => (await sql`select 1 from room_members where display_name = ${LONG}`).length > 0,
  );
  await sql`insert into grants ${sql({ id: "long", tenant_id: "demo", agent_id: agentId, tool: "calculate", room_id: room, schema_hash: "x", granted_by: maya.userId })}`;
}, 120_000);

const PAGES: [name: string, address: () => string][] = [
  ["home", () => "/c/demo"],
  ["agents", () => "/c/demo/agents"],
  ["agent", () => `/c/demo/agents/${agentId}`],
  ["agent-rooms", () => `/c/demo/agents/${agentId}?tab=rooms`],
  ["teams", () => "/c/demo/teams"],
  ["room", () => `/c/demo/rooms/${encodeURIComponent(room)}`],
  ["people", () => "/c/demo/people"],
  ["forms", () => "/c/demo/forms"],
  ["form", () => `/c/demo/forms/${form}`],
  ["tools", () => "/c/demo/tools"],
  ["calls", () => "/c/demo/tools?tab=calls"],
  ["approvals", () => "/c/demo/approvals"],
  ["grants", () => "/c/demo/approvals?tab=grants"],
  ["schedules", () => "/c/demo/schedules"],
  ["files", () => "/c/demo/files"],
  ["runs", () => "/c/demo/runs"],
  ["run", () => `/c/demo/runs/${run}`],
  ["usage", () => "/c/demo/usage"],
  ["audit", () => "/c/demo/audit"],
];

/** Runs in the page: what is cut, squeezed or scrolled sideways. */
const FAULTS = `[...document.querySelectorAll("body *")].flatMap((element) => {
  const style = getComputedStyle(element);
  const text = (element.textContent ?? "").trim();
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim().length > 3);
  const box = element.getBoundingClientRect();
  const said = text.slice(0, 30);
  if (text === "" || box.width <= 1 || element.closest("svg, .agt-sr, .agt-skip, code, pre, input, [hidden]")) return [];
  const over = element.scrollWidth > element.clientWidth + 1;
  // A table of figures is moved sideways on a phone, by the keyboard too.
  const figures = element.matches('[role="region"]') || element.querySelector('[role="region"]');
  if (over && !figures && ["auto", "scroll"].includes(style.overflowX)) return ["scrolls sideways: " + element.className + " " + said];
  if (over && style.overflowX === "hidden" && style.textOverflow !== "ellipsis" && box.width > 8) return ["is cut: " + element.className + " " + said];
  if (over && style.textOverflow === "ellipsis" && !element.closest("[title]")) return ["is cut and has no title: " + said];
  // Words of common length stand on one line each.
  if (own && element.closest("td, .agt-value"))
    for (const node of element.childNodes) {
      if (node.nodeType !== 3) continue;
      for (const { index, 0: word } of node.textContent.matchAll(/[^\\s()/]+/g)) {
        const range = document.createRange();
        range.setStart(node, index);
        range.setEnd(node, index + word.length);
        if (word.length <= 16 && new Set([...range.getClientRects()].map((one) => one.top)).size > 1) return ["is broken: " + word];
      }
    }
  return [];
})`;

const faults = (page: Page) => page.evaluate(FAULTS) as Promise<string[]>;

test.each(PAGES)("long names on the page %s", async (name, address) => {
  const found: string[] = [];
  for (const width of [1280, 390]) {
    const { page, problems, close } = await panel.open(address(), await panel.operator(), { width });
    await drawn(page);
    await shoot(page, `long-${name}-${width}`);
    found.push(...(await faults(page)).map((fault) => `${width}: ${fault}`));
    if (await sideways(page)) found.push(`${width}: is wider than the window`);
    found.push(...problems.map((problem) => `${width}: ${problem}`));
    await close();
  }
  expect(found).toEqual([]);
});

test("one's own long name is cut in the head, with all of it beside the pointer", async () => {
  const manager = await panel.person("manager");
  const self = await shared.platform.person("the-manager");
  await self.client.setDisplayName(LONG);
  const { sql } = shared.platform.ctx;
  await sql`update people set display_name = ${LONG} where user_id = ${self.userId}`;
  const { page, close } = await panel.open("/c/demo/runs", manager, { width: 390 });
  const menu = page.getByRole("banner").getByRole("button", { name: LONG });
  expect(await menu.getAttribute("title")).toBe(LONG);
  expect(await faults(page)).toEqual([]);
  expect(await sideways(page)).toBe(false);
  await close();
});

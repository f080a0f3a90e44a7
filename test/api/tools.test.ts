/** The tools of a client over the API: what there is, trying one, and what was called. */
import { beforeEach, describe, expect, test } from "vitest";
import { OutcomeUnknown } from "../../bots/tools/tool.ts";
import { AppError } from "../../core/errors.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import { ALICE, BOB, makeTenant, TENANT } from "../bots/tenant.ts";
import { testContext } from "../harness/postgres.ts";
import { addProbes, probe, probed, world } from "../tools/world.ts";
import { type Api, type Asking, apiFor } from "./harness.ts";

const TOOLS = `/clients/${TENANT}/tools`;
const CALLS = `/clients/${TENANT}/tool-calls`;
const KEY = "sk-abcdef123456789";

const throws = (error: unknown) => async () => {
  throw error;
};
addProbes(
  probe({
    name: "look",
    repeatable: true,
    reads: "untrusted",
    input: {
      type: "object",
      properties: { word: { type: "string" }, key: { type: "string", format: "password" } },
      required: ["word"],
      additionalProperties: false,
    },
    run: async ({ args }) => ({ text: `saw ${args.word} with Bearer ${args.key ?? "abcdefgh at all"}` }),
  }),
  probe({ name: "indoors", rooms: () => [{ room: "", does: "read" }] }),
  probe({ name: "waits", run: async () => ({ waiting: true }) }),
  probe({ name: "refuses", run: throws(new AppError("invalid", "There is no mail server yet.")) }),
  probe({ name: "unsure", run: throws(new OutcomeUnknown("The line was cut.")) }),
  probe({ name: "breaks", run: throws(new Error(`secret ${KEY} within`)) }),
  probe({
    name: "slow",
    timeoutMs: 50,
    run: ({ signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  }),
);

let ctx: Awaited<ReturnType<typeof testContext>>;
let api: Api;
let operator: Asking;

async function setUp() {
  ctx = await testContext();
  await makeTenant(ctx);
  api = apiFor(ctx);
  operator = await api.operator("ann");
}
beforeEach(() => probed.clear());

const attempt = (who: Asking, tool: string, args: unknown) => who("POST", `${TOOLS}/${tool}/try`, { arguments: args });

describe("the list", () => {
  beforeEach(setUp);

  test("says of each what it touches, in one order, page by page", async () => {
    const { json } = await operator("GET", TOOLS);
    expect(json.items.find(({ name }: { name: string }) => name === "look")).toMatchObject({
      group: "probe",
      title: "Probe look",
      reads: "untrusted",
      tryable: true,
      input: { required: ["word"] },
    });
    expect(json.items.find(({ name }: { name: string }) => name === "indoors")).toMatchObject({ tryable: false });
    const names: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: { json: { items: { name: string }[]; next: string | null } } = await operator(
        "GET",
        `${TOOLS}?limit=3${cursor ? `&cursor=${cursor}` : ""}`,
      );
      names.push(...page.json.items.map(({ name }) => name));
      cursor = page.json.next;
    }
    expect(names).toEqual(json.items.map(({ name }: { name: string }) => name));
  });

  test("is for readers, and of a client that is there", async () => {
    expect((await (await api.person(TENANT, "auditor"))("GET", TOOLS)).status).toBe(200);
    expect((await (await api.person(TENANT, "member"))("GET", TOOLS)).status).toBe(403);
    expect((await operator("GET", "/clients/nobody/tools")).status).toBe(404);
  });
});

describe("trying a tool", () => {
  beforeEach(setUp);

  test("a manager is told what an agent would be told; it is a call like others, of nobody's run", async () => {
    const max = await api.person(TENANT, "manager", ALICE);
    const { status, json } = await attempt(max, "look", { word: "one" });
    expect([status, json.state, json.untrusted]).toEqual([200, "done", "Probe look"]);
    expect(json.result).toBe("saw one with Bearer [removed] at all");
    expect(probed.get("look")).toMatchObject([
      { run: null, roomId: null, person: ALICE, rooms: [], args: { word: "one" } },
    ]);
    const { json: calls } = await operator("GET", CALLS);
    expect(calls.items).toMatchObject([
      { id: json.call, run: null, agent: null, person: { id: ALICE }, tool: { name: "look" }, state: "done" },
    ]);
  });

  test("neither answer, nor list, nor log hold what was given as a password", async () => {
    const tried = await attempt(operator, "look", { word: `x ${KEY}`, key: "hunter2-hunter2" });
    expect(tried.status).toBe(200);
    const { json: calls } = await operator("GET", CALLS);
    expect(calls.items[0].arguments).toEqual({ word: "x [removed]", key: "[removed]" });
    const { json: log } = await operator("GET", `/clients/${TENANT}/audit`);
    expect(log.items).toMatchObject([{ action: "tools.try", outcome: "done", target: { id: "look" } }]);
    for (const shown of [tried.json, calls, log]) expect(JSON.stringify(shown)).not.toMatch(/hunter2|abcdef123456789/);
  });

  test.each([
    ["refuses", "failed", "There is no mail server yet."],
    ["unsure", "unknown", "The line was cut. It may have happened or not."],
    [
      "waits",
      "failed",
      "“Probe waits” works in a room, for a person who is there, so it cannot be tried here. Allow it to an agent and try that one.",
    ],
    [
      "breaks",
      "failed",
      "Something went wrong inside Agentopia. The platform's log says what; whoever runs it can look there.",
    ],
    ["slow", "unknown", "It took longer than 0 s and was ended. It may have happened or not."],
  ])("%s: %s", async (tool, state, result) => {
    const { status, json } = await attempt(operator, tool, {});
    expect([status, json.state, json.result]).toEqual([200, state, result]);
    expect((await operator("GET", CALLS)).json.items).toMatchObject([{ tool: { name: tool }, state }]);
  });

  test.each([
    ["what is missing", "look", {}, 400, /^Fill in “Word”\.$/],
    ["too much", "look", { word: "a", other: 1 }, 400, /^“Other”: There is no such field\.$/],
    ["another type", "look", { word: 1 }, 400, /^“Word”: Write a text\.$/],
    ["a list", "look", [], 400, /\.$/],
    ["nothing", "look", undefined, 400, /\.$/],
    ["a tool of rooms", "indoors", {}, 400, /\.$/],
    ["no such tool", "nothing", {}, 404, /\.$/],
    ["a name of objects", "__proto__", {}, 404, /\.$/],
  ])("bad input: %s", async (_name, tool, args, expected, says) => {
    const { status, json } = await attempt(operator, tool, args);
    expect(status).toBe(expected);
    expect(json.detail).toMatch(says);
    expect(probed.size).toBe(0);
    expect((await operator("GET", CALLS)).json.items).toEqual([]);
  });

  test("auditors, members, strangers and another client's manager try nothing", async () => {
    await createTenant(ctx, { id: "rival", serverName: "rival.test", driver: "external", url: "http://127.0.0.1:9" });
    const rival = await api.person("rival", "manager");
    const auditor = await api.person(TENANT, "auditor");
    const bob = await api.person(TENANT, "member", BOB);
    const wish = { word: "x" };
    expect((await attempt(auditor, "look", wish)).status).toBe(403);
    expect((await attempt(bob, "look", wish)).status).toBe(403);
    expect((await attempt(rival, "look", wish)).status).toBe(404);
    expect((await attempt(api.stranger, "look", wish)).status).toBe(401);
    expect(probed.size).toBe(0);
  });

  test("the same click that is sent twice is tried once", async () => {
    const headers = { "idempotency-key": "click-1" };
    const body = { arguments: { word: "once" } };
    const [one, two] = [
      await operator("POST", `${TOOLS}/look/try`, body, headers),
      await operator("POST", `${TOOLS}/look/try`, body, headers),
    ];
    expect(two.json).toEqual(one.json);
    expect(probed.get("look")).toHaveLength(1);
  });
});

describe("calls", () => {
  test("of runs say what was decided, and are found by agent, tool, run and state; members may not look", async () => {
    const w = await world({ probe: { policy: "allowed", perRun: 1 } });
    api = apiFor(w.ctx);
    operator = await api.operator();
    await w.say(`[[call look {"word":"one","key":"hunter2"}]] [[call look {"word":"two"}]] #limit`);
    await w.work();
    const [run] = await w.runs();
    const find = async (query: string) => (await operator("GET", `${CALLS}?${query}`)).json.items;
    const all = await find("");
    expect(all).toHaveLength(2);
    const states = all.map(({ state }: { state: string }) => state).toSorted();
    expect(states).toEqual(["done", "refused"]);
    expect(await find("state=refused")).toMatchObject([
      { reason: expect.stringContaining("once in one run"), run: run?.id, agent: { name: "Writer" } },
    ]);
    for (const [query, count] of [
      [`run=${run?.id}`, 2],
      ["run=another", 0],
      ["agent=writer", 2],
      ["agent=planner", 0],
      ["tool=look", 2],
      ["tool=act", 0],
      ["agent=writer&state=done", 1],
      ["tool=look&state=failed", 0],
    ] as const)
      expect([query, (await find(query)).length]).toEqual([query, count]);
    expect((await operator("GET", `${CALLS}?state=odd`)).status).toBe(400);
    expect((await (await api.person(TENANT, "member"))("GET", CALLS)).status).toBe(403);
    expect(JSON.stringify(all)).not.toContain("hunter2");
  });

  test("of thousands of one moment none is skipped and none comes twice; a rare state is found behind them", async () => {
    await setUp();
    await ctx.sql`
      insert into tool_calls (id, tenant_id, turn, index, call_id, tool, tool_group, arguments_hash, schema_hash, state, created_at)
      select 'c' || lpad(n::text, 5, '0'), ${TENANT}, 0, 0, 'x', 'look', 'probe', '', '', case when n = 0 then 'unknown' else 'done' end,
        timestamptz '2026-01-01 00:00Z' + (n / 10) * interval '1 microsecond' from generate_series(0, 2150) n`;
    const walk = async (query: string) => {
      const ids: string[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const { json }: { json: { items: { id: string }[]; next: string | null } } = await operator(
          "GET",
          `${CALLS}?limit=25&${query}${cursor ? `&cursor=${cursor}` : ""}`,
        );
        ids.push(...json.items.map(({ id }) => id));
        cursor = json.next;
      }
      return ids;
    };
    const ids = await walk("");
    expect([ids.length, new Set(ids).size]).toEqual([2151, 2151]);
    expect(await walk("state=unknown")).toEqual(["c00000"]);
  });

  test("another client's agent gives nothing", async () => {
    await setUp();
    await createTenant(ctx, { id: "rival", serverName: "rival.test", driver: "external", url: "http://127.0.0.1:9" });
    await ctx.sql`
      insert into tool_calls (id, tenant_id, agent_id, turn, index, call_id, tool, tool_group, arguments_hash, schema_hash)
      values ('c', ${TENANT}, 'writer', 0, 0, 'x', 'look', 'probe', '', '')`;
    const rival = await api.person("rival", "manager");
    expect((await rival("GET", "/clients/rival/tool-calls?agent=writer")).json.items).toEqual([]);
    expect((await operator("GET", `${CALLS}?agent=writer`)).json.items).toHaveLength(1);
  });
});

import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { addModel } from "../../bots/models.ts";
import { outletOf } from "../../bots/outlet.ts";
import { SCAN } from "../../bots/scan-page.ts";
import { signalOf } from "../../bots/signals.ts";
import { think } from "../../bots/think.ts";
import { loadWork } from "../../bots/work.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import { ALICE, BOB, DEFINITION, makeTenant, ROOM, TENANT } from "../bots/tenant.ts";
import { startModelServer } from "../harness/model-server.ts";
import { testContext } from "../harness/postgres.ts";
import { type Api, type Asking, apiFor } from "./harness.ts";

let ctx: Awaited<ReturnType<typeof testContext>>;
let api: Api;
let operator: Asking;

beforeEach(async () => {
  ctx = await testContext();
  await makeTenant(ctx);
  await createTenant(ctx, { id: "rival", serverName: "rival.test", driver: "external", url: "http://127.0.0.1:9" });
  api = apiFor(ctx);
  operator = await api.operator("ann");
});

/** `count` runs, a microsecond apart: milliseconds do not tell them from each other. */
async function runs(
  count: number,
  wish: { tenant?: string; agent?: string; room?: string; person?: string; state?: string; first?: number } = {},
) {
  const { tenant = TENANT, agent = "writer", room = ROOM, person = ALICE, state = "done", first = 0 } = wish;
  await ctx.sql`
    with n as (select n, 'run-' || lpad(n::text, 6, '0') as id from generate_series(${first}::int, ${first + count - 1}::int) n),
    a as (insert into answers (id, tenant_id, room_id, agent_id, question_event, current_run_id)
      select 'a-' || id, ${tenant}, ${room}, ${agent}, '$' || id, id from n returning id)
    insert into runs (id, tenant_id, agent_id, agent_version, answer_id, room_id, question_event, trigger_event, asked_by, state, created_at)
    select n.id, ${tenant}, ${agent}, 1, a.id, ${room}, '$' || n.id, '$' || n.id, ${person}, ${state},
      timestamptz '2026-01-10 12:00:00Z' + n.n * interval '1 microsecond'
    from n join a on a.id = 'a-' || n.id`;
}

/** All ids, page by page. */
async function walk(ask: Asking, path: string): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const { status, json }: { status: number; json: { items: { id: string }[]; next: string | null } } = await ask(
      "GET",
      `${path}${path.includes("?") ? "&" : "?"}${cursor ? `cursor=${cursor}` : ""}`,
    );
    expect(status).toBe(200);
    ids.push(...json.items.map(({ id }) => id));
    cursor = json.next;
  }
  return ids;
}

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => `run-${String(to - 1 - n).padStart(6, "0")}`);

describe("the list of runs", () => {
  test("goes page by page over runs of the same millisecond, none skipped and none twice", async () => {
    await runs(57);
    expect(await walk(operator, `/clients/${TENANT}/runs?limit=10`)).toEqual(numbered(0, 57));
    expect(await walk(operator, "/runs?limit=20")).toEqual(numbered(0, 57));
  });

  test.each([
    ["agent=planner", 30, 35],
    [`room=${encodeURIComponent("!b:acme.test")}`, 20, 25],
    [`person=${encodeURIComponent(BOB)}`, 10, 15],
    ["state=failed", 40, 45],
    ["state=running", 50, 55],
    [`agent=planner&state=failed`, 0, 0],
    [`room=${encodeURIComponent(ROOM)}&state=failed`, 40, 45],
    ["from=2026-01-10T12:00:00.000Z&to=2026-01-10T12:00:00.001Z", 0, 55],
    ["from=2026-01-10T12:00:00.001Z", 0, 0],
    ["source=try", 0, 0],
  ])("with %s", async (filter, from, to) => {
    await runs(10);
    await runs(10, { first: 10, person: BOB });
    await ctx.sql`update runs set asked_by = ${ALICE} where id >= 'run-000015'`;
    await runs(5, { first: 20, room: "!b:acme.test" });
    await runs(5, { first: 25 });
    await runs(5, { first: 30, agent: "planner" });
    await runs(5, { first: 35 });
    await runs(5, { first: 40, state: "failed" });
    await runs(5, { first: 45 });
    await runs(5, { first: 50, state: "running" });
    expect(await walk(operator, `/clients/${TENANT}/runs?limit=3&${filter}`)).toEqual(numbered(from, to));
  });

  test("a rare combination is found beyond the runs that one page looks at", async () => {
    await runs(3, { state: "stopped" });
    await runs(SCAN + 200, { first: 10 });
    const { json } = await operator("GET", `/clients/${TENANT}/runs?state=stopped`);
    expect(json.items).toEqual([]);
    expect(json.next).not.toBeNull();
    expect(await walk(operator, `/clients/${TENANT}/runs?state=stopped`)).toEqual(numbered(0, 3));
  });

  test("says what a row needs: names, tokens, time, error", async () => {
    await runs(1, { state: "failed" });
    await ctx.sql`update runs set error = 'The model is away.', finished_at = created_at + interval '2 seconds'`;
    await ctx.sql`insert into people (tenant_id, user_id, display_name) values (${TENANT}, ${ALICE}, 'Alice A.')`;
    for (const n of [1, 2])
      await ctx.sql`insert into ledger (id, tenant_id, run_id, model, day, input_tokens, output_tokens)
        values (${`l${n}`}, ${TENANT}, 'run-000000', 'small', '2026-01-10', 30, 4)`;
    const { json } = await operator("GET", "/runs");
    expect(json.items).toEqual([
      {
        id: "run-000000",
        client: { id: TENANT, title: TENANT },
        state: "failed",
        source: "room",
        agent: { id: "writer", name: "Writer" },
        room: { id: ROOM, name: null },
        askedBy: { id: ALICE, name: "Alice A." },
        createdAt: "2026-01-10T12:00:00.000Z",
        durationMs: 2000,
        tokens: 68,
        error: "The model is away.",
      },
    ]);
  });

  test("members see what they asked themselves, whatever they ask for", async () => {
    await runs(3);
    await runs(2, { first: 3, person: BOB });
    const bob = await api.person(TENANT, "member", BOB);
    expect(await walk(bob, `/clients/${TENANT}/runs`)).toEqual(numbered(3, 5));
    expect(await walk(bob, `/clients/${TENANT}/runs?person=${encodeURIComponent(ALICE)}`)).toEqual(numbered(3, 5));
    expect((await bob("GET", `/clients/${TENANT}/runs/run-000001`)).status).toBe(404);
    const own = await bob("GET", `/clients/${TENANT}/runs/run-000004`);
    expect(own.status).toBe(200);
    expect((await bob("GET", `/clients/${TENANT}/runs/run-000004/report`)).status).toBe(403);
    expect((await bob("POST", `/clients/${TENANT}/runs/run-000004/stop`)).status).toBe(403);
    expect((await bob("GET", "/runs")).status).toBe(403);
  });

  test("another client's agent gives nothing, a cursor that is none a sentence", async () => {
    await runs(3);
    expect(await walk(operator, "/clients/rival/runs?agent=writer")).toEqual([]);
    for (const cursor of [
      "x",
      Buffer.from('["a","b"]').toString("base64url"),
      Buffer.from('[1e300,"b"]').toString("base64url"),
    ])
      expect((await operator("GET", `/clients/${TENANT}/runs?cursor=${cursor}`)).status).toBe(400);
    expect((await operator("GET", `/clients/${TENANT}/runs?state=maybe`)).status).toBe(400);
    expect((await operator("GET", "/clients/nobody/runs")).status).toBe(404);
  });
});

test("a run is stopped, its end is not stopped again, and both are known to the audit log", async () => {
  await runs(1, { state: "running" });
  expect(await operator("POST", `/clients/${TENANT}/runs/run-000000/stop`)).toMatchObject({
    status: 200,
    json: { stopping: true },
  });
  expect(await ctx.sql`select stop_reason, stopped_by from runs`).toEqual([
    { stop_reason: "operator", stopped_by: "operator:ann" },
  ]);
  await ctx.sql`update runs set state = 'stopped'`;
  expect((await operator("POST", `/clients/${TENANT}/runs/run-000000/stop`)).status).toBe(409);
  expect(await ctx.sql`select action, outcome, target_id from audit`).toEqual([
    { action: "runs.stop", outcome: "done", target_id: "run-000000" },
  ]);
});

test("run again is refused in a sentence where it cannot be", async () => {
  await runs(1);
  const again = await operator("POST", `/clients/${TENANT}/runs/run-000000/again`, { click: "c1" });
  expect(again.status).toBe(409);
  expect(again.json.detail).toMatch(/erased/);
  expect((await operator("POST", `/clients/${TENANT}/runs/run-000000/again`, {})).status).toBe(400);
  expect((await operator("POST", `/clients/${TENANT}/runs/none/again`, { click: "c1" })).status).toBe(404);
});

test("a run's report is plain text", async () => {
  await runs(1, { state: "failed" });
  const report = await operator("GET", `/clients/${TENANT}/runs/run-000000/report`);
  expect(report.status).toBe(200);
  expect(report.headers.get("content-type")).toMatch(/^text\/plain/);
  expect(report.json).toMatch(/^Agentopia run run-000000\n/);
});

describe("usage", () => {
  beforeEach(async () => {
    await ctx.sql`insert into ledger (id, tenant_id, agent_id, person_id, room_id, model, day, state, input_tokens, output_tokens, duration_ms)
      values ('l1', ${TENANT}, 'writer', ${ALICE}, ${ROOM}, '=cmd()', current_date, 'ok', 90, 10, 1234)`;
  });

  test("of a client and of all, by each dimension", async () => {
    for (const by of ["day", "client", "agent", "room", "person", "model"])
      for (const path of [`/clients/${TENANT}/usage`, "/usage"]) {
        const { status, json } = await operator("GET", `${path}?by=${by}`);
        expect([path, by, status]).toEqual([path, by, 200]);
        expect(json.total).toEqual({ calls: 1, failed: 0, inputTokens: 90, outputTokens: 10, durationMs: 1234 });
        expect(json.days).toHaveLength(30);
        expect(json.series[0].tokens.at(-1)).toBe(100);
      }
  });

  test("as a file in which nothing is taken for a formula", async () => {
    const file = await operator("GET", `/clients/${TENANT}/usage.csv?by=model`);
    expect(file.headers.get("content-type")).toMatch(/^text\/csv/);
    expect(file.headers.get("content-disposition")).toContain(`usage-${TENANT}.csv`);
    const [head, line] = file.json.replace("\ufeff", "").split("\r\n");
    expect(head).toBe("day,model,name,calls,failed,input_tokens,output_tokens,seconds");
    expect(line).toMatch(/^\d{4}-\d\d-\d\d,'=cmd\(\),'=cmd\(\),1,0,90,10,1.2$/);
  });

  test.each([
    ["a turned time", "from=2026-02-01&to=2026-01-01"],
    ["too many days", "from=2000-01-01&to=2026-01-01"],
    ["no day", "from=yesterday"],
    ["an unknown dimension", "by=moon"],
  ])("%s is refused", async (_name, query) => {
    const { status, json } = await operator("GET", `/usage?${query}`);
    expect(status).toBe(400);
    expect(json.detail).toMatch(/\.$/);
  });

  test("caps: an operator sets them, a manager sees them", async () => {
    const manager = await api.person(TENANT, "manager");
    const set = await operator("PUT", `/clients/${TENANT}/caps`, { tokensPerDay: 5000, maxHops: null });
    expect(set).toMatchObject({
      status: 200,
      json: { limits: { tokensPerDay: 5000, maxHops: 4 }, today: { used: 0 } },
    });
    expect((await manager("GET", `/clients/${TENANT}/caps`)).json.limits.tokensPerDay).toBe(5000);
    expect((await manager("PUT", `/clients/${TENANT}/caps`, { tokensPerDay: 1 })).status).toBe(403);
    for (const tokensPerDay of [-1, 1.5, "many", 1e18])
      expect((await operator("PUT", `/clients/${TENANT}/caps`, { tokensPerDay })).status).toBe(400);
  });
});

describe("try it", () => {
  const definition = { ...DEFINITION, instructions: "Rhyme." };

  async function attempt(runId: string): Promise<void> {
    const work = await loadWork(ctx, runId, { attempt: true });
    if (!work) throw new Error("The run is over.");
    await think(ctx, work, outletOf(work).surroundings(ctx, work), signalOf(runId));
    await outletOf(work).ended(ctx, work);
  }

  beforeEach(async () => {
    const model = await startModelServer();
    onTestFinished(() => model.stop());
    const baseUrl = `${model.url}/v1`;
    await addModel(ctx, {
      tenantId: null,
      name: "scripted",
      provider: "openai-compatible",
      baseUrl,
      model: "scripted",
      isDefault: true,
    });
  });

  test("a chat is followed as it grows, and a reader that comes back is told all of it", async () => {
    const opened = await operator("POST", `/clients/${TENANT}/agents/writer/try`, {});
    expect(opened.status).toBe(201);
    const chat = `/clients/${TENANT}/try/${opened.json.chat}`;
    const follow = async () => {
      const init = { headers: { cookie: await api.cookie({ operatorId: operator.id }) } };
      const response = await api.app.request(`/api/v1${chat}/events`, init);
      expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
      return events(response);
    };
    const live = await follow();
    const { status, json } = await operator("POST", `${chat}/messages`, {
      text: "Hi #a [[chunks 30 1200]]",
      definition,
    });
    expect(status).toBe(201);
    const under_way = attempt(json.run);
    const seen = await live.until((event) => event.done === true);
    await under_way;
    expect(seen.at(-1)).toEqual({
      run: json.run,
      question: "Hi #a [[chunks 30 1200]]",
      state: "done",
      text: "Answer to #a",
      error: null,
      approvals: [],
      done: true,
    });
    const growing = seen.filter(({ state }) => state === "running").map(({ text }) => String(text).length);
    expect(growing.length).toBeGreaterThan(2);
    await live.close();
    const back = await follow();
    expect(await back.until((event) => event.done === true)).toHaveLength(1);
    await back.close();
  });

  test("is for managers and up, and a chat is its opener's", async () => {
    const manager = await api.person(TENANT, "manager");
    const member = await api.person(TENANT, "member");
    expect((await member("POST", `/clients/${TENANT}/agents/writer/try`, {})).status).toBe(403);
    const { json } = await manager("POST", `/clients/${TENANT}/agents/writer/try`, {});
    const chat = `/clients/${TENANT}/try/${json.chat}`;
    expect((await operator("POST", `${chat}/messages`, { text: "hi", definition })).status).toBe(404);
    expect((await operator("GET", `${chat}/events`)).status).toBe(404);
    expect((await manager("POST", `${chat}/messages`, { text: "hi", definition })).status).toBe(201);
    expect((await manager("POST", `${chat}/messages`, { text: "hi", definition })).status).toBe(409);
    expect((await manager("POST", `${chat}/stop`)).json).toEqual({ stopping: true });
  });

  test.each([
    ["an empty text", { text: " ", definition }],
    ["a text that is too long", { text: "x".repeat(20_001), definition }],
    ["no definition", { text: "hi" }],
    ["a definition without instructions", { text: "hi", definition: { ...definition, instructions: "" } }],
    ["a NUL", { text: "a\0b", definition }],
  ])("%s is refused with a sentence", async (_name, body) => {
    const { json } = await operator("POST", `/clients/${TENANT}/agents/writer/try`, {});
    const refused = await operator("POST", `/clients/${TENANT}/try/${json.chat}/messages`, body);
    expect(refused.status).toBe(400);
    expect(refused.json.detail).toMatch(/\.$/);
    expect(await ctx.sql`select 1 from runs`).toEqual([]);
  });
});

/** Server-sent events of a response, as they come. */
function events(response: Response) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) throw new Error("no body");
  let left = "";
  return {
    close: () => reader.cancel(),
    async until(enough: (event: Record<string, unknown>) => boolean): Promise<Record<string, unknown>[]> {
      const seen: Record<string, unknown>[] = [];
      while (!seen.some(enough)) {
        const { value, done } = await reader.read();
        if (done) throw new Error("The stream ended.");
        left += value;
        const blocks = left.split("\n\n");
        left = blocks.pop() ?? "";
        for (const block of blocks) {
          const data = /^data: (.*)$/m.exec(block)?.[1];
          if (data) seen.push(JSON.parse(data) as Record<string, unknown>);
        }
      }
      return seen;
    },
  };
}

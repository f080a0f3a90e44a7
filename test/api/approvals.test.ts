/** What agents ask people, decided over the API: by whom it may, once, and in time. */
import { beforeEach, describe, expect, test } from "vitest";
import { closeApprovals } from "../../bots/approvals/write.ts";
import { OutcomeUnknown } from "../../bots/tools/tool.ts";
import { AppError } from "../../core/errors.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import type { AgentTools } from "../../migrations/types.ts";
import { ALICE, BOB, CONTROL, ROOM, TENANT, WRITER } from "../bots/tenant.ts";
import { addProbes, probe, probed, type World, world } from "../tools/world.ts";
import { type Api, type Asking, apiFor } from "./harness.ts";

const ASK: AgentTools = { probe: { policy: "ask" } };
const LIST = `/clients/${TENANT}/approvals`;
const EVE = "@eve:acme.test";
const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N";

addProbes(
  probe({
    name: "act",
    sends: "outside",
    input: { type: "object", properties: { word: { type: "string" }, token: { type: "string" } } },
  }),
  probe({ name: "bounce", run: () => Promise.reject(new AppError("invalid", `The server refused it: ${JWT}.`)) }),
  probe({ name: "vanish", run: () => Promise.reject(new OutcomeUnknown("The server hung up.")) }),
  probe({ name: "mail", sends: "outside", run: () => Promise.reject(new AppError("invalid", "No such mailbox.")) }),
  probe({ name: "look", run: () => Promise.reject(new AppError("invalid", "There is no such page.")) }),
);

let w: World;
let api: Api;
let operator: Asking;
beforeEach(() => probed.clear());

/** An agent that wants to do something which a person has to allow. */
async function waits(
  question = '[[call act {"word":"mail"}]] [[results]] #wait',
  options: Parameters<typeof world>[1] = {},
) {
  w = await world(ASK, options);
  api = apiFor(w.ctx);
  operator = await api.operator("ann");
  await w.say(question);
  await w.work();
  const [approval] = await w.approvals();
  expect(approval?.state).toBe("open");
  return approval!.id;
}

const decide = (who: Asking, id: string, body: object) => who("POST", `${LIST}/${id}/decide`, body);
const person = (role: "member" | "manager" | "owner" | "auditor", id: string) => api.person(TENANT, role, id);

describe("deciding", () => {
  test("a manager who is not in the room allows it: it is done once, and its message in the room says who it was", async () => {
    const id = await waits();
    const max = await person("manager", "@max:acme.test");
    const { status, json } = await decide(max, id, { verdict: "approved" });
    expect([status, json.state, json.decidedBy.id, json.decidedVia]).toEqual([200, "approved", max.id, "panel"]);
    await w.work();
    expect(await w.runs()).toMatchObject([{ state: "done", text: "did mail" }]);
    expect(probed.get("act")).toHaveLength(1);
    expect(w.sent.some(({ content }) => content["m.new_content"]?.body.includes("Allowed by max"))).toBe(true);
  });

  test("the reason of a refusal is what the agent hears", async () => {
    const id = await waits();
    expect((await decide(operator, id, { verdict: "declined", answer: "Not on a Sunday." })).status).toBe(200);
    await w.work();
    expect(await w.calls()).toMatchObject([{ state: "declined", result: "A person declined it: Not on a Sunday." }]);
    expect(probed.get("act")).toBeUndefined();
  });

  test("a moderator of the room decides; a member below the level may not and is told who may", async () => {
    const id = await waits();
    const bob = await person("member", BOB);
    const refused = await decide(bob, id, { verdict: "approved" });
    expect(refused.status).toBe(404);
    const alice = await person("member", ALICE);
    expect((await decide(alice, id, { verdict: "approved" })).status).toBe(200);
  });

  test("who decides what another one asked is not led to a run that they may not see", async () => {
    const id = await waits(undefined, { levels: { [BOB]: 50 } });
    const seen = async (who: Asking) => (await who("GET", `${LIST}/${id}`)).json.run;
    expect(await seen(await person("member", BOB))).toBeNull();
    const [run] = await w.runs();
    expect(await seen(await person("member", ALICE))).toBe(run?.id);
    expect(await seen(operator)).toBe(run?.id);
  });

  test("who asked sees what their run waits for, and may not decide it below the level", async () => {
    w = await world(ASK, { levels: { [ALICE]: 0 } });
    api = apiFor(w.ctx);
    await w.say('[[call act {"word":"mail"}]] #own');
    await w.work();
    const [approval] = await w.approvals();
    const alice = await person("member", ALICE);
    const { json } = await alice("GET", LIST);
    expect(json.items).toMatchObject([{ id: approval?.id, mayDecide: false }]);
    const { status, json: problem } = await decide(alice, approval!.id, { verdict: "approved" });
    expect([status, problem.detail]).toEqual([
      403,
      "This takes the power level 50 in its room, and you have 0. A moderator or a manager decides it.",
    ]);
    expect(await w.approvals()).toMatchObject([{ state: "open" }]);
  });

  test("a moderator who has left the room does not see it any more", async () => {
    const id = await waits(undefined, { levels: { [BOB]: 50 } });
    await w.ctx.sql`update room_members set membership = 'leave' where user_id = ${BOB}`;
    const bob = await person("member", BOB);
    expect((await bob("GET", LIST)).json.items).toEqual([]);
    expect((await decide(bob, id, { verdict: "approved" })).status).toBe(404);
  });

  test("strangers, auditors, members elsewhere and another client's manager decide nothing", async () => {
    const id = await waits();
    await createTenant(w.ctx, { id: "rival", serverName: "rival.test", driver: "external", url: "http://127.0.0.1:9" });
    const rival = await api.person("rival", "manager");
    const auditor = await person("auditor", "@audit:acme.test");
    const eve = await person("member", EVE);
    expect((await decide(api.stranger, id, { verdict: "approved" })).status).toBe(401);
    expect((await decide(rival, id, { verdict: "approved" })).status).toBe(404);
    expect((await rival("POST", `/clients/rival/approvals/${id}/decide`, { verdict: "approved" })).status).toBe(404);
    expect((await decide(auditor, id, { verdict: "approved" })).status).toBe(403);
    expect((await decide(eve, id, { verdict: "approved" })).status).toBe(404);
    expect((await auditor("GET", LIST)).json.items).toMatchObject([{ id, mayDecide: false }]);
    expect((await eve("GET", LIST)).json.items).toEqual([]);
    expect(await w.approvals()).toMatchObject([{ state: "open" }]);
  });

  test("a token decides nothing, whatever its maker may: only people do", async () => {
    const id = await waits();
    const expiresAt = new Date(w.ctx.clock.now() + 86_400_000).toISOString();
    const wish = {
      name: "bot",
      scopes: ["tools.read", "approvals.read", "approvals.decide", "approvals.decide_all"],
      expiresAt,
    };
    const { json } = await operator("POST", "/me/tokens", wish);
    const headers = { authorization: `Bearer ${json.token}` };
    const seen = await api.stranger("GET", `${LIST}/${id}`, undefined, headers);
    expect([seen.status, seen.json.mayDecide, seen.json.exact]).toEqual([200, false, false]);
    const { status } = await api.stranger("POST", `${LIST}/${id}/decide`, { verdict: "approved" }, headers);
    expect(status).toBe(403);
    expect(await w.approvals()).toMatchObject([{ state: "open" }]);
  });

  test("of two that decide at once one is heard, and the other is told what it was", async () => {
    const id = await waits();
    const max = await person("manager", "@max:acme.test");
    const both = await Promise.all([
      decide(max, id, { verdict: "approved" }),
      decide(operator, id, { verdict: "declined" }),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    const won = both.find(({ status }) => status === 200)!.json;
    const lost = both.find(({ status }) => status === 409)!.json;
    expect(lost.detail).toMatch(/^(max has allowed|ann has refused) this already/);
    expect(lost.current.state).toBe(won.state);
    await w.work();
    expect(probed.get("act")?.length ?? 0).toBe(won.state === "approved" ? 1 : 0);
  });

  test("after a reaction in the room the panel changes nothing", async () => {
    const id = await waits();
    const [approval] = await w.approvals();
    await w.react(approval!.eventId!, "❌");
    const { status, json } = await decide(operator, id, { verdict: "approved" });
    expect([status, json.detail]).toEqual([409, "alice has refused this already, so nothing was changed."]);
    await w.work();
    expect(probed.get("act")).toBeUndefined();
  });

  test("after its time nobody decides, before and after its row says so", async () => {
    const id = await waits();
    await w.ctx.sql`update approvals set expires_at = now() - interval '1 second'`;
    const late = await decide(operator, id, { verdict: "approved" });
    expect([late.status, late.json.current.state]).toEqual([409, "expired"]);
    expect((await operator("GET", LIST)).json.items).toEqual([]);
    expect((await operator("GET", `${LIST}?state=over`)).json.items).toMatchObject([{ id, state: "expired" }]);
    await closeApprovals(w.ctx);
    expect((await decide(operator, id, { verdict: "approved" })).status).toBe(409);
    await w.work();
    expect(probed.get("act")).toBeUndefined();
  });

  test.each([
    ["an answer to what is no question", { verdict: "answered", answer: "yes" }, "This is not a question."],
    ["a verdict that is none", { verdict: "maybe" }, ""],
    ["nothing", {}, ""],
    ["a reason without end", { verdict: "declined", answer: "x".repeat(5000) }, ""],
    ["characters that cannot be stored", { verdict: "declined", answer: "a\u0000b" }, ""],
  ])("bad input: %s", async (_name, body, detail) => {
    const id = await waits();
    const { status, json } = await decide(operator, id, body);
    expect(status).toBe(400);
    expect(json.detail).toContain(detail);
    expect(await w.approvals()).toMatchObject([{ state: "open" }]);
  });

  test("each decision is a line of the log, without the reason", async () => {
    const id = await waits();
    await decide(operator, id, { verdict: "declined", answer: "Because of Xylophon" });
    const { json } = await operator("GET", `/clients/${TENANT}/audit`);
    expect(json.items).toMatchObject([
      { action: "approvals.decline", target: { kind: "approval", id }, after: { decision: "declined", tool: "act" } },
    ]);
    expect(JSON.stringify(json)).not.toContain("Xylophon");
  });
});

describe("what is seen", () => {
  test("whoever may decide sees the exact arguments, everybody else without secrets; afterwards nobody sees them", async () => {
    const id = await waits(`[[call act {"word":"Bearer abcdefgh12345","token":"${JWT}"}]] #secret`);
    const auditor = await person("auditor", "@audit:acme.test");
    const hidden = { word: "Bearer [removed]", token: "[removed]" };
    const sentence = "probe act with Bearer [removed]";
    expect((await operator("GET", LIST)).json.items[0]).toMatchObject({
      exact: true,
      arguments: { token: JWT },
      sentence: "probe act with Bearer abcdefgh12345",
    });
    expect((await auditor("GET", LIST)).json.items[0]).toMatchObject({ exact: false, arguments: hidden, sentence });
    await decide(operator, id, { verdict: "declined" });
    expect((await operator("GET", `${LIST}/${id}`)).json).toMatchObject({ exact: false, arguments: hidden, sentence });
  });

  test("the number that waits is of what one may decide oneself", async () => {
    await waits();
    const count = async (who: Asking) => (await who("GET", `${LIST}/count`)).json.waiting;
    expect(await count(operator)).toBe(1);
    expect(await count(await person("auditor", "@audit:acme.test"))).toBe(0);
    expect(await count(await person("member", ALICE))).toBe(1);
    expect(await count(await person("member", BOB))).toBe(0);
  });

  test("what was allowed and failed is said where it was decided, and to managers for an hour on their first page", async () => {
    const tools: AgentTools = { bounce: { policy: "ask" }, vanish: { policy: "ask" } };
    w = await world({ ...tools, mail: { policy: "allowed" }, look: { policy: "allowed" } });
    api = apiFor(w.ctx);
    operator = await api.operator();
    await w.ctx.sql`update tenants set state = 'running'`;
    const lines = async (hours = 0) => {
      const clock = { ...w.ctx.clock, now: () => w.ctx.clock.now() + hours * 3_600_000 };
      const manager = await apiFor({ ...w.ctx, clock }).person(TENANT, "manager", "@max:acme.test");
      const { attention } = (await manager("GET", `/clients/${TENANT}/home`)).json;
      return attention.filter(({ kind }: { kind: string }) => /^calls_/.test(kind));
    };
    await w.say("[[call bounce {}]] [[call vanish {}]] [[call look {}]] [[results]] #wait");
    for (let asked = 0; asked < 2; asked++) {
      await w.work();
      const open = (await w.approvals()).filter(({ state }) => state === "open");
      for (const { id } of open) await decide(operator, id, { verdict: "approved" });
    }
    await w.work();
    const { items } = (await operator("GET", `${LIST}?state=over`)).json;
    const became = Object.fromEntries(
      items.map(({ tool, state, call }: { tool: { name: string }; state: string; call: object }) => [
        tool.name,
        { ...call, decided: state },
      ]),
    );
    expect(became).toEqual({
      bounce: { decided: "approved", state: "failed", trouble: "The server refused it: [removed]." },
      vanish: {
        decided: "approved",
        state: "unknown",
        trouble: expect.stringContaining("Outcome unknown: The server hung up."),
      },
    });
    const [run] = await w.runs();
    const one = { count: 1, link: `/c/${TENANT}/runs/${run?.id}` };
    expect(await lines()).toMatchObject([
      { ...one, kind: "calls_unknown", names: ["Probe vanish"] },
      { ...one, kind: "calls_failed", names: ["Probe bounce"] },
    ]);
    // Asked an hour before it was allowed.
    await w.ctx.sql`update tool_calls set created_at = created_at - interval '80 minutes'`;
    await w.ctx.sql`update approvals set created_at = created_at - interval '80 minutes'`;
    expect(await lines()).toMatchObject([{ kind: "calls_unknown" }, { kind: "calls_failed", names: ["Probe bounce"] }]);

    await w.say("[[call mail {}]] [[results]] #more");
    await w.work();
    expect(await lines()).toMatchObject([
      { kind: "calls_unknown", count: 1 },
      {
        kind: "calls_failed",
        count: 2,
        names: ["Probe mail", "Probe bounce"],
        link: `/c/${TENANT}/tools?tab=calls&state=failed`,
      },
    ]);
    expect(await lines(2)).toEqual([]);
  });

  test("managers read on their first page that somebody waits", async () => {
    await waits();
    const max = await person("manager", "@max:acme.test");
    const { json } = await max("GET", `/clients/${TENANT}/home`);
    expect(json.attention.find(({ kind }: { kind: string }) => kind === "approvals_waiting")).toMatchObject({
      count: 1,
      link: `/c/${TENANT}/approvals`,
    });
  });

  test("who sees few of many finds an old one behind all the others", async () => {
    const id = await waits();
    await w.ctx.sql`
      insert into runs (id, tenant_id, agent_id, agent_version, answer_id, room_id, question_event, trigger_event, asked_by, state)
      select 'other', tenant_id, agent_id, agent_version, answer_id, room_id, question_event, trigger_event, '@zoe:acme.test', 'waiting' from runs limit 1`;
    await w.ctx.sql`
      insert into approvals (id, tenant_id, run_id, call_id, agent_id, room_id, kind, tool, sentence, arguments_hash, schema_hash, level, expires_at, created_at)
      select case when n = 700 then 'old' else 'a' || n end, tenant_id, case when n = 700 then run_id else 'other' end, call_id, agent_id, room_id, kind, tool,
        sentence, arguments_hash, schema_hash, case when n = 700 then level else 101 end, expires_at, created_at - n * interval '1 microsecond'
      from approvals, generate_series(1, 700) n where id = ${id}`;
    const member = await person("member", ALICE);
    const ids: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const { json }: { json: { items: { id: string }[]; next: string | null } } = await member(
        "GET",
        cursor ? `${LIST}?cursor=${cursor}` : LIST,
      );
      ids.push(...json.items.map((item) => item.id));
      cursor = json.next;
    }
    expect(ids).toEqual([id, "old"]);
  });

  test("the list goes page by page, none skipped and none twice", async () => {
    const id = await waits();
    await w.ctx.sql`
      insert into approvals (id, tenant_id, run_id, call_id, agent_id, room_id, kind, tool, sentence, arguments_hash, schema_hash, level, expires_at, created_at)
      select 'a' || lpad(n::text, 4, '0'), tenant_id, run_id, call_id, agent_id, room_id, kind, tool, sentence, arguments_hash, schema_hash, level,
        expires_at, created_at - n * interval '1 microsecond' from approvals, generate_series(1, 230) n where id = ${id}`;
    for (const who of [operator, await person("member", ALICE)]) {
      const ids: string[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const { json }: { json: { items: { id: string }[]; next: string | null } } = await who(
          "GET",
          `${LIST}?limit=25${cursor ? `&cursor=${cursor}` : ""}`,
        );
        ids.push(...json.items.map((item) => item.id));
        cursor = json.next;
      }
      expect(ids).toHaveLength(231);
      expect(new Set(ids).size).toBe(231);
    }
    const cursor = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString("base64url");
    for (const bad of ["nonsense", cursor(1e300, "a"), cursor(-1, "a"), cursor("a", "a")])
      for (const list of ["approvals", "grants", "tool-calls", "schedules"])
        expect((await operator("GET", `/clients/${TENANT}/${list}?cursor=${bad}`)).status).toBe(400);
  });
});

describe("always in this room for this tool", () => {
  test("is granted in the panel, holds for the next call, and is taken back", async () => {
    const id = await waits();
    expect((await decide(operator, id, { verdict: "always" })).json).toMatchObject({ state: "approved", always: true });
    await w.work();
    await w.say('[[call act {"word":"again"}]] #granted');
    await w.work();
    expect(probed.get("act")).toHaveLength(2);
    const { json } = await operator("GET", `/clients/${TENANT}/grants`);
    expect(json.items).toMatchObject([
      { agent: { id: "writer" }, room: { id: ROOM }, tool: { name: "act" }, grantedBy: { id: "operator:ann" } },
    ]);
    const path = `/clients/${TENANT}/grants/${json.items[0].id}`;
    const alice = await person("member", ALICE);
    expect((await alice("GET", `/clients/${TENANT}/grants`)).json.items).toEqual([]);
    expect((await alice("DELETE", path)).status).toBe(404);
    expect((await operator("DELETE", path)).status).toBe(204);
    expect((await operator("DELETE", path)).status).toBe(404);
    await w.say('[[call act {"word":"third"}]] #revoked');
    await w.work();
    expect(probed.get("act")).toHaveLength(2);
  });

  test("members take back what they granted themselves", async () => {
    const id = await waits();
    const alice = await person("member", ALICE);
    await decide(alice, id, { verdict: "always" });
    const { json } = await alice("GET", `/clients/${TENANT}/grants`);
    expect((await alice("DELETE", `/clients/${TENANT}/grants/${json.items[0].id}`)).status).toBe(204);
  });

  test("is not granted where something untrusted was read", async () => {
    const id = await waits();
    await w.ctx.sql`update approvals set grantable = false`;
    const { status } = await decide(operator, id, { verdict: "always" });
    expect(status).toBe(400);
    expect(await w.ctx.sql`select 1 from grants`).toHaveLength(0);
  });
});

test("in a chat of one person and the agent that person decides, in the panel too; a manager may as well", async () => {
  const direct = "!direct:acme.test";
  w = await world(ASK, { rooms: { rooms: [{ id: direct, members: [CONTROL, BOB, WRITER] }] } });
  api = apiFor(w.ctx);
  await w.event({
    room: direct,
    sender: BOB,
    content: { msgtype: "m.text", body: '[[call act {"word":"x"}]] #direct' },
  });
  await w.work();
  const [approval] = await w.approvals();
  const alice = await person("member", ALICE);
  expect((await decide(alice, approval!.id, { verdict: "approved" })).status).toBe(404);
  const bob = await person("member", BOB);
  expect((await bob("GET", LIST)).json.items).toMatchObject([
    { onlyPerson: { id: BOB, name: "bob" }, mayDecide: true },
  ]);
  expect((await decide(bob, approval!.id, { verdict: "approved" })).status).toBe(200);
  await w.work();
  expect(probed.get("act")).toHaveLength(1);
});

test("a question is answered by the person who was asked, and by nobody for them", async () => {
  const id = await waits();
  await w.ctx.sql`update approvals set kind = 'input', only_person = ${BOB}, level = null, sentence = 'Which colour?'`;
  expect((await decide(operator, id, { verdict: "answered", answer: "red" })).status).toBe(403);
  const bob = await person("member", BOB);
  expect((await decide(bob, id, { verdict: "approved" })).status).toBe(400);
  expect((await decide(bob, id, { verdict: "answered", answer: "  " })).status).toBe(400);
  expect((await decide(bob, id, { verdict: "answered", answer: "blue" })).json).toMatchObject({ state: "answered" });
  await w.work();
  expect(await w.calls()).toMatchObject([{ state: "done", result: "blue" }]);
});

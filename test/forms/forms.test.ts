import { beforeEach, expect, test } from "vitest";
import { listGrants } from "../../bots/approvals/grants.ts";
import { createForm, discardForm, FormConflict, saveForm } from "../../bots/forms/drafts.ts";
import { postFormLink } from "../../bots/forms/link.ts";
import { getFormRun } from "../../bots/forms/list.ts";
import { doForm } from "../../bots/forms/model-runs.ts";
import { publishForm, removeForm, rollbackForm, setFormState } from "../../bots/forms/publish.ts";
import { type FormRow, getForm } from "../../bots/forms/rows.ts";
import { stoppedForms, workflowOf } from "../../bots/forms/stop.ts";
import { stopFilledForm } from "../../bots/forms/stop-filled.ts";
import { type Filling, fillForm } from "../../bots/forms/submit.ts";
import { eraseOld } from "../../bots/retention.ts";
import { stopOrphans, tellForgottenEnds } from "../../bots/run-ends.ts";
import { forgetSignal, runsUnderWay, StopSignal, signalOf, signalStop } from "../../bots/signals.ts";
import type { FormDefinition } from "../../migrations/types.ts";
import { ALICE, BOB, CONTROL, event, ROOM, says, TENANT, WRITER } from "../bots/tenant.ts";
import { setTools, type World, world } from "../tools/world.ts";
import { OFFER, QUIZ } from "./offer.ts";

let w: World;
beforeEach(async () => {
  w = await world({ forms: { policy: "allowed" } });
});

async function make(definition: FormDefinition): Promise<FormRow> {
  const draft = await createForm(w.ctx, { tenantId: TENANT, definition, by: ALICE });
  return await publishForm(w.ctx, { tenantId: TENANT, formId: draft.id, revision: 1, by: ALICE });
}

const CALL = { calls: [{ tool: "form_offer", args: { customer: "A", amount: 3 } }] };
let cause = 0;
const fill = (form: FormRow, wish: Partial<Filling> = {}) =>
  fillForm(w.ctx, {
    tenantId: TENANT,
    formId: form.id,
    values: { customer: "ACME", amount: 12 },
    by: ALICE,
    via: "panel",
    cause: ["test", ++cause],
    ...wish,
  });
const run = (id: string) => getFormRun(w.ctx, { tenantId: TENANT, id, by: null });
const runModel = (id: string) => doForm(w.ctx, id, new AbortController().signal);
const actions = async () =>
  (
    await w.ctx.sql<{ payload: { kind: string; as: string; text: string; replyTo?: string; mentions?: string[] } }[]>`
    select payload from actions where payload->>'kind' in ('message', 'notice') order by created_at, id`
  ).map(({ payload }) => payload);
/** Works on what agents and models have to do until nothing is left. */
async function workAll(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    await w.work();
    const open = await w.ctx.sql<
      { id: string }[]
    >`select id from form_runs where state in ('queued', 'running') and run_id is null`;
    if (open.length === 0) return;
    for (const { id } of open) await runModel(id);
  }
}

test("a draft is written, published, changed and set back; each version is kept", async () => {
  const draft = await createForm(w.ctx, { tenantId: TENANT, definition: OFFER, by: ALICE });
  expect(draft).toMatchObject({ state: "draft", version: 0 });
  await expect(fill(draft)).rejects.toThrow("There is no such form.");
  const form = await publishForm(w.ctx, { tenantId: TENANT, formId: draft.id, revision: 1, by: ALICE });
  expect(form).toMatchObject({ state: "active", version: 1, draft: null });
  await saveForm(w.ctx, {
    tenantId: TENANT,
    formId: form.id,
    revision: 1,
    by: BOB,
    definition: { ...OFFER, title: "New" },
  });
  const late = { tenantId: TENANT, formId: form.id, revision: 1, by: ALICE, definition: OFFER };
  await expect(saveForm(w.ctx, late)).rejects.toThrow(FormConflict);
  await expect(saveForm(w.ctx, late)).rejects.toMatchObject({
    current: { definition: { title: "New" }, revision: 2, by: BOB },
  });
  expect(await publishForm(w.ctx, { tenantId: TENANT, formId: form.id, revision: 2, by: BOB })).toMatchObject({
    version: 2,
  });
  const back = await rollbackForm(w.ctx, { tenantId: TENANT, formId: form.id, version: 1, by: ALICE });
  expect(back).toMatchObject({ version: 3, definition: { title: "Offer" } });
  await expect(discardForm(w.ctx, { tenantId: TENANT, formId: form.id })).resolves.toMatchObject({ version: 3 });
});

test("of twenty who save at once one does", async () => {
  const form = await createForm(w.ctx, { tenantId: TENANT, definition: OFFER, by: ALICE });
  const saves = Array.from({ length: 20 }, (_, n) =>
    saveForm(w.ctx, {
      tenantId: TENANT,
      formId: form.id,
      revision: 1,
      by: ALICE,
      definition: { ...OFFER, title: `T${n}` },
    }),
  );
  const ends = await Promise.allSettled(saves);
  expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("a name is taken until its form is removed", async () => {
  const form = await make(OFFER);
  await expect(createForm(w.ctx, { tenantId: TENANT, definition: OFFER, by: ALICE })).rejects.toThrow(
    "called offer already",
  );
  await removeForm(w.ctx, { tenantId: TENANT, formId: form.id });
  await expect(createForm(w.ctx, { tenantId: TENANT, definition: OFFER, by: ALICE })).resolves.toBeTruthy();
  await expect(fill(form)).rejects.toThrow("There is no such form.");
});

test("the model alone does a form, and its result is kept for who filled it in", async () => {
  const id = await fill(await make(OFFER), { values: { customer: "[[text Dear **ACME**]] #m", amount: 12 } });
  await runModel(id);
  expect(await run(id)).toMatchObject({ state: "done", result: "Dear **ACME**", by: ALICE, roomId: null });
  expect((await run(id)).tokens).toBeGreaterThan(0);
  const [ledger] = await w.ctx.sql`select person_id, agent_id, state, tenant_id from ledger`;
  expect(ledger).toMatchObject({ person_id: ALICE, agent_id: null, state: "ok", tenant_id: TENANT });
  expect(await actions()).toEqual([]);
});

test("done twice it is done once, and what ended is not begun again", async () => {
  const form = await make(OFFER);
  const id = await fill(form, { cause: ["once"], roomId: ROOM });
  expect(await fill(form, { cause: ["once"], roomId: ROOM })).toBe(id);
  await Promise.all([runModel(id), runModel(id)]);
  await runModel(id);
  expect(await w.ctx.sql`select 1 from form_runs`).toHaveLength(1);
  expect(await actions()).toHaveLength(1);
});

test("an agent does a form as a run for the person", async () => {
  const id = await fill(await make({ ...OFFER, agent: "writer" }), {
    values: { customer: "[[text By Writer]] #w", amount: 1 },
  });
  await w.work();
  expect(await run(id)).toMatchObject({ state: "done", result: "By Writer" });
  const [row] = await w.ctx.sql`select source, on_behalf_of, form_run_id, room_id from runs`;
  expect(row).toEqual({ source: "task", on_behalf_of: ALICE, form_run_id: id, room_id: `form:${id}` });
});

test("an end that a crash cut off is told by the sweep, once", async () => {
  const id = await fill(await make({ ...OFFER, agent: "writer" }), { roomId: ROOM });
  await w.ctx.sql`update runs set state = 'done'`;
  await w.ctx
    .sql`insert into steps (run_id, position, kind, state, output) select id, 0, 'model', 'done', 'Kept' from runs`;
  await tellForgottenEnds(w.ctx);
  await tellForgottenEnds(w.ctx);
  expect(await run(id)).toMatchObject({ state: "done", result: "Kept" });
  expect(await actions()).toHaveLength(1);
});

for (const agent of [null, "writer"])
  test(`${agent ?? "a model"} whose answer is not what the form promises is asked once more, then it fails with a sentence`, async () => {
    const form = await make({ ...QUIZ, agent });
    const answers = [
      "I cannot.",
      '```json\n{"question": "Why?", "right": 1}\n```',
      "No.",
      '{"question": 3, "right": 1}',
    ];
    let asked = 0;
    w.model.script(() => ({ text: answers[asked++] ?? "" }));
    const good = await fill(form, { values: { about: "love" } });
    await workAll();
    expect(await run(good)).toMatchObject({ state: "done", result: '{\n  "question": "Why?",\n  "right": 1\n}' });
    expect(JSON.stringify(w.model.requests.at(-1))).toContain("It is no JSON object.");
    const bad = await fill(form, { values: { about: "love" } });
    await workAll();
    expect(await run(bad)).toMatchObject({
      state: "failed",
      error: expect.stringContaining(
        "twice not what the form promises. “Question” is not of the kind that is asked for. A manager",
      ),
    });
    expect(asked).toBe(4);
  });

test("!name in a room fills it in, and the answer replies to it", async () => {
  await make({ ...QUIZ, agent: "writer" });
  w.model.script(() => ({ text: '{"question": "Why?", "right": 1}' }));
  const command = event({ content: says('!quiz about="two words"') });
  await w.event(command as never);
  await w.work();
  expect(await actions()).toEqual([
    {
      kind: "message",
      as: WRITER,
      text: "**Question:** Why?\n\n**right:** 1",
      replyTo: command.event_id,
      mentions: [ALICE],
    },
  ]);
  const [row] = await w.ctx.sql`select via, by, room_id, "values" from form_runs`;
  expect(row).toEqual({ via: "command", by: ALICE, room_id: ROOM, values: { about: "two words" } });
});

test("a model's result is said by the platform's own user", async () => {
  await make(OFFER);
  await w.event({ content: says("!offer customer=ACME amount=3") } as never);
  await workAll();
  expect(await actions()).toMatchObject([{ kind: "message", as: CONTROL }]);
});

test("a message that does not fit is answered with what is missing, and nothing begins", async () => {
  await make(OFFER);
  await w.event({ content: says("!offer customer=ACME") } as never);
  expect(await actions()).toMatchObject([{ kind: "notice", text: expect.stringContaining("amount is missing.") }]);
  expect(await w.ctx.sql`select 1 from form_runs`).toEqual([]);
});

test("!forms and !help name what can be filled in in the room, and a mistyped name is told", async () => {
  const form = await make(OFFER);
  await make({ ...QUIZ, agent: "writer" });
  await make({ ...QUIZ, name: "poll", title: "Poll", agent: "planner" });
  await w.ctx.sql`delete from room_members where user_id like '@agent-planner:%'`;
  const told = async (body: string) => {
    await w.event({ content: says(body) } as never);
    return (await actions()).at(-1)?.text;
  };
  expect(await told("!forms")).toBe(
    [
      "Forms that can be filled in here, by a message like these:",
      '• Offer: Writes an offer to a customer.\n  !offer customer="some words" amount=12',
      '• Quiz: Makes a question.\n  !quiz about="some words"',
    ].join("\n"),
  );
  expect(await told("Writer: !help")).toMatch(/• !offer [^\n]+ \(Offer\)\n• !quiz [^\n]+ \(Quiz\)$/);
  expect(await told("!ofer customer=ACME")).toBe("There is no command !ofer. Did you mean !offer?");
  expect(await told("!polll yes")).toBe("There is no command !polll. Did you mean !poll?");
  await setFormState(w.ctx, { tenantId: TENANT, formId: form.id }, "paused");
  expect(await told("!forms")).not.toContain("Offer");
});

test("people of other servers, paused forms, unknown words and edits fill in nothing", async () => {
  const form = await make(OFFER);
  const content = says("!offer customer=ACME amount=3");
  await w.event({ sender: "@eve:elsewhere.test", content } as never);
  expect((await actions()).at(-1)?.text).toContain("only be filled in by people of acme.test");
  await w.event({ content: says("!unknown") } as never);
  expect((await actions()).at(-1)?.text).toContain("There is no command !unknown");
  await setFormState(w.ctx, { tenantId: TENANT, formId: form.id }, "paused");
  await w.event({ content } as never);
  await expect(fill(form)).rejects.toThrow("is paused");
  await setFormState(w.ctx, { tenantId: TENANT, formId: form.id }, "active");
  expect(await w.ctx.sql`select 1 from form_runs`).toEqual([]);
});

test("a form whose agent is not in the room, or paused, says so there", async () => {
  await make({ ...OFFER, agent: "planner" });
  const content = says("!offer customer=ACME amount=3");
  await w.ctx.sql`update agents set state = 'paused' where id = 'planner'`;
  await w.event({ content } as never);
  expect((await actions()).at(-1)?.text).toContain("paused or gone");
  await w.ctx.sql`delete from room_members where user_id like '@agent-planner:%'`;
  await w.event({ content } as never);
  expect((await actions()).at(-1)?.text).toContain("Planner does this form and is not in this room");
  expect(await w.ctx.sql`select 1 from form_runs`).toEqual([]);
});

test("a result goes to no room that who filled it in is not in", async () => {
  await w.ctx.sql`delete from room_members where user_id = ${BOB}`;
  const form = await make(OFFER);
  await expect(fill(form, { by: BOB, roomId: ROOM })).rejects.toThrow("a room that you are in");
  await expect(fill(form, { roomId: "!elsewhere:acme.test" })).rejects.toThrow("a room that you are in");
  await expect(fill(form, { by: "operator:root", roomId: ROOM })).rejects.toThrow("a room that you are in");
});

test("one person has twenty under way at most", async () => {
  const form = await make(OFFER);
  for (let n = 0; n < 20; n++) await fill(form);
  await expect(fill(form)).rejects.toMatchObject({ code: "too_many" });
  await expect(fill(form, { by: BOB })).resolves.toBeTruthy();
});

test("an agent fills it in as a tool and hears the result once", async () => {
  await make({ ...OFFER, description: "Writes an offer" });
  w.model.script(({ tools }) => (tools.length === 0 ? { text: "Sold" } : undefined));
  await w.say('[[call form_offer {"customer":"A","amount":3}]] [[results]] #t');
  await workAll();
  expect(await w.runs()).toMatchObject([{ state: "done", text: "Sold" }]);
  const [call] = await w.calls();
  expect(call).toMatchObject({ tool: "form_offer", state: "done", result: "Sold" });
  expect(await w.ctx.sql`select via, by, parent_call, hops from form_runs`).toEqual([
    { via: "tool", by: ALICE, parent_call: call?.id, hops: 1 },
  ]);
  const [tokens] = await w.ctx.sql<{ tokens: number }[]>`select tokens from tool_calls`;
  expect(tokens?.tokens).toBeGreaterThan(0);
  expect(w.model.requests[0]?.tools).toContain("form_offer");
});

test("what was always allowed to a form's tool ends with its fields, its name and the form itself; another prompt changes nothing", async () => {
  await setTools(w.ctx, "writer", { forms: { policy: "ask" } });
  w.model.script(({ results, tools }) => (tools.length === 0 || results.length > 0 ? { text: "Done." } : CALL));
  const form = await make(OFFER);
  const put = async (definition: FormDefinition) => {
    const { draftRevision: revision } = await getForm(w.ctx, TENANT, form.id);
    await saveForm(w.ctx, { tenantId: TENANT, formId: form.id, revision, by: ALICE, definition });
    await publishForm(w.ctx, { tenantId: TENANT, formId: form.id, revision: revision + 1, by: ALICE });
  };
  const allow = async () => {
    await w.say("#ask");
    await w.work();
    const asked = (await w.approvals()).at(-1);
    await w.react(asked?.eventId ?? "", "♾️");
    await workAll();
    expect(await granted()).toEqual(["form_offer"]);
  };
  const granted = async () =>
    (await listGrants(w.ctx, { tenantId: TENANT, only: null }, { limit: 9, after: null })).map(({ tool }) => tool);
  await allow();
  await put({ ...OFFER, prompt: `${OFFER.prompt} Be short.` });
  expect(await granted()).toEqual(["form_offer"]);
  await w.say("#again");
  await workAll();
  expect(await w.approvals()).toHaveLength(1);
  await put({ ...OFFER, input: { ...OFFER.input, required: ["customer"] } });
  expect(await granted()).toEqual([]);
  await allow();
  await put({ ...OFFER, name: "offers" });
  expect(await granted()).toEqual([]);
  await put(OFFER);
  await allow();
  await removeForm(w.ctx, { tenantId: TENANT, formId: form.id });
  expect(await granted()).toEqual([]);
  await make(OFFER);
  await w.say("#new");
  await w.work();
  expect((await w.approvals()).at(-1)).toMatchObject({ state: "open" });
});

test("an agent that fills it in wrongly is told so", async () => {
  await make(OFFER);
  await w.say('[[call form_offer {"customer":"A","amount":-3}]] [[results]] #u');
  await workAll();
  expect((await w.calls())[0]).toMatchObject({ state: "failed", result: expect.stringContaining("amount") });
});

test("an agent that does a form by a form of its own ends by the budget of hops", async () => {
  await setTools(w.ctx, "planner", { forms: { policy: "allowed" } });
  await make({ ...OFFER, agent: "planner" });
  await w.ctx.sql`update tenants set limits = '{"maxHops": 2}'`;
  w.model.script((request) => {
    const text = JSON.stringify(request.messages);
    if (/in a row have now worked|Enough/.test(text)) return { text: "Enough." };
    return { calls: [{ tool: "form_offer", args: { customer: "A", amount: 1 } }] };
  });
  await w.say("go #h");
  await workAll();
  expect(await w.ctx.sql`select hops from form_runs order by hops`).toEqual([{ hops: 1 }, { hops: 2 }]);
  expect(await w.runs()).toMatchObject([{ state: "done" }, { state: "done" }, { state: "done" }]);
});

test("what an agent has read goes with its form, and comes back as untrusted", async () => {
  await make({ ...OFFER, agent: "planner" });
  await w.say('[[call form_offer {"customer":"A","amount":3}]] [[results]] #y');
  await w.ctx.sql`update runs set untrusted = 'the page https://evil.example/'`;
  await workAll();
  const runs = await w.runs();
  expect(runs).toHaveLength(2);
  expect(runs.every(({ untrusted }) => untrusted === "the page https://evil.example/")).toBe(true);
  const [call] = await w.ctx.sql`select untrusted from tool_calls`;
  expect(call).toEqual({ untrusted: "the page https://evil.example/" });
});

test("a form that an agent filled in ends with the run that did", async () => {
  await make({ ...OFFER, agent: "planner" });
  await w.say('[[call form_offer {"customer":"A","amount":3}]] #z');
  const [first] = await w.runs();
  await w.attempt(first?.id ?? "");
  await w.ctx.sql`update runs set stop_reason = 'command', stopped_by = ${ALICE} where id = ${first?.id ?? ""}`;
  await stopOrphans(w.ctx);
  const [child] = await w.ctx.sql`select stop_reason, stopped_by from runs where form_run_id is not null`;
  expect(child).toEqual({ stop_reason: "command", stopped_by: ALICE });
  await workAll();
  expect((await w.ctx.sql`select state, error from form_runs`)[0]).toMatchObject({
    state: "stopped",
    error: "Planner was stopped.",
  });
});

test("a form that a model does is stopped in its room by who filled it in, not by others, and the room is told", async () => {
  await make(OFFER);
  const command = event({ content: says("!offer customer=ACME amount=3") });
  await w.event(command as never);
  await w.event({ sender: BOB, content: says("!stop") } as never);
  expect((await actions()).at(-1)?.text).toContain("Only who asked");
  await w.event({ content: says("!stop") } as never);
  await workAll();
  expect(await w.ctx.sql`select state, error, result from form_runs`).toEqual([
    { state: "stopped", error: "It was stopped by alice.", result: null },
  ]);
  expect((await actions()).at(-1)).toMatchObject({
    kind: "notice",
    text: "“Offer”, filled in by alice, was not finished. It was stopped by alice.",
    replyTo: command.event_id,
  });
  expect(w.model.requests).toEqual([]);
  await w.event({ content: says("!stop") } as never);
  expect((await actions()).at(-1)?.text).toContain("nothing to stop");
});

test("a form that is stopped while its model writes ends with what that took, once, and the agent that waits goes on", async () => {
  await make(OFFER);
  await w.say("#t");
  w.model.script(({ tools, results }) =>
    tools.length === 0 ? { hold: true } : results.length > 0 ? { sayResults: true } : CALL,
  );
  await w.work();
  const [form] = await w.ctx.sql<{ id: string }[]>`select id from form_runs`;
  const id = form?.id ?? "";
  const asking = doForm(w.ctx, id, signalOf(workflowOf(id)));
  await w.model.until((model) => model.heldNow().length === 1, "the form is with the model");
  const stops = Array.from({ length: 20 }, () => stopFilledForm(w.ctx, { tenantId: TENANT, id, by: BOB }));
  expect((await Promise.all(stops)).filter(Boolean)).toHaveLength(1);
  for (const { workflowId, reason } of await stoppedForms(w.ctx, runsUnderWay())) signalStop(workflowId, reason);
  await asking;
  forgetSignal(workflowOf(id));
  w.model.release();
  await w.work();
  const told = "“Offer” was not finished. It was stopped by bob.";
  expect(await run(id)).toMatchObject({ state: "stopped", error: "It was stopped by bob." });
  expect((await run(id)).tokens).toBeGreaterThan(0);
  expect(await w.calls()).toMatchObject([{ state: "failed", result: told }]);
  expect(await w.runs()).toMatchObject([{ state: "done", text: told }]);
  expect(await w.ctx.sql`select state, tenant_id from ledger where run_id = ${id}`).toEqual([
    { state: "aborted", tenant_id: TENANT },
  ]);
  expect(await w.ctx.sql`select sum(reserved)::int as held from token_days`).toEqual([{ held: 0 }]);
});

test("a model's work on a form ends with the run that filled it in, also when that run failed", async () => {
  await make(OFFER);
  w.model.script(() => CALL);
  for (const end of ["stop_reason = 'command'", "state = 'failed'"]) {
    await w.say("#t");
    await w.work();
    await w.ctx.sql.unsafe(`update runs set ${end} where state = 'waiting'`);
    await stopOrphans(w.ctx);
    await workAll();
  }
  const forms = await w.ctx.sql`select state, error from form_runs`;
  expect(forms).toEqual([1, 2].map(() => ({ state: "stopped", error: "It was stopped." })));
  expect((await w.calls()).map(({ state }) => state)).toEqual(["failed", "failed"]);
});

test("what a call held for a form that a crash cut off is given back when the model is asked anew", async () => {
  const id = await fill(await make(OFFER));
  w.model.script(() => ({ hold: true }));
  const kill = new AbortController();
  void doForm(w.ctx, id, kill.signal);
  await w.model.until((model) => model.heldNow().length === 1, "the form is with the model");
  w.model.script(undefined);
  await runModel(id);
  expect(await run(id)).toMatchObject({ state: "done" });
  expect(await w.ctx.sql`select state from ledger order by created_at`).toEqual([{ state: "lost" }, { state: "ok" }]);
  expect(await w.ctx.sql`select sum(reserved)::int as held from token_days`).toEqual([{ held: 0 }]);
  kill.abort(new StopSignal("shutdown"));
});

test("what was filled in goes when its message is redacted, and when it is too old", async () => {
  await make(OFFER);
  const command = event({ content: says("!offer customer=secret amount=3") });
  await w.event(command as never);
  const [form] = await w.ctx.sql<{ id: string }[]>`select id from form_runs`;
  await w.event({ type: "m.room.redaction", redacts: command.event_id, content: {} } as never);
  await runModel(form?.id ?? "");
  expect(await run(form?.id ?? "")).toMatchObject({ state: "stopped", values: null, result: null });
  await w.ctx.sql`update form_runs set created_at = now() - interval '1000 days'`;
  await w.ctx.sql`update tenants set retention_days = 30`;
  await eraseOld(w.ctx);
  expect(await w.ctx.sql`select 1 from form_runs`).toEqual([]);
});

test("an agent's work on a form ends when the message that filled it in is redacted", async () => {
  await make({ ...OFFER, agent: "planner" });
  const command = event({ content: says("!offer customer=secret amount=3") });
  await w.event(command as never);
  const [begun] = await w.runs();
  expect(begun?.state).toBe("queued");
  await w.event({ type: "m.room.redaction", redacts: command.event_id, content: {} } as never);
  await workAll();
  expect(await w.runs()).toMatchObject([{ state: "stopped" }]);
  expect((await w.ctx.sql`select state, "values", result from form_runs`)[0]).toMatchObject({
    state: "stopped",
    values: null,
    result: null,
  });
  expect(JSON.stringify(w.sent)).not.toContain("secret");
});

test("a link is posted in a room where somebody of ours can speak", async () => {
  const form = await make({ ...OFFER, title: "Offer [draft]" });
  await postFormLink(w.ctx, form, {
    roomId: ROOM,
    url: "https://x.example/panel/c/acme/forms/1?room=!room%3Aacme.test",
  });
  const text = (await actions())[0]?.text ?? "";
  expect(text).toContain("[Offer \\[draft\\]](https://x.example/panel/c/acme/forms/1?room=!room%3Aacme.test)");
  expect(text).toContain("`!offer`");
  await w.ctx.sql`delete from room_members where user_id = ${CONTROL}`;
  await expect(postFormLink(w.ctx, await getForm(w.ctx, TENANT, "offer"), { roomId: ROOM, url: "x" })).rejects.toThrow(
    "nobody can post",
  );
});

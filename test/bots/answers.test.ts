import { expect, onTestFinished, test } from "vitest";
import { deliver as deliverAnswer } from "../../bots/deliver.ts";
import { drainRoom } from "../../bots/drain-room.ts";
import { addModel } from "../../bots/models.ts";
import { signalOf } from "../../bots/signals.ts";
import { think } from "../../bots/think.ts";
import { loadSurroundings, loadWork } from "../../bots/work.ts";
import type { Context } from "../../core/context.ts";
import { startModelServer } from "../harness/model-server.ts";
import { testContext } from "../harness/postgres.ts";
import { ok, type Request, scriptedHomeserver } from "./homeserver.ts";
import { deliver, event, makeTenant, ROOM, says, TENANT, WRITER } from "./tenant.ts";

interface Sent {
  id: string;
  txn: string;
  content: { body: string; "m.new_content"?: { body: string }; "m.relates_to"?: { event_id?: string } } & Record<
    string,
    { final?: boolean } | unknown
  >;
}

/** A homeserver that keeps what is sent, once for each transaction id; `dies` says after which it breaks down without an answer. */
async function room() {
  const homeserver = await scriptedHomeserver();
  const sent: Sent[] = [];
  const state: { dies: (txn: string) => boolean } = { dies: () => false };
  homeserver.answer = ({ path, method, body }: Request) => {
    const [, eventId] = /\/event\/(.+)$/.exec(path) ?? [];
    if (eventId) return ok({ event_id: eventId, ...sent.find(({ id }) => id === eventId) });
    const [, txn] = /\/send\/m\.room\.message\/(.+)$/.exec(path) ?? [];
    if (method !== "PUT" || !txn) return undefined;
    const known = sent.find((one) => one.txn === txn);
    const made = known ?? { id: `$a${sent.length}`, txn, content: body as Sent["content"] };
    if (!known) sent.push(made);
    return !known && state.dies(txn) ? { status: 502, body: {} } : ok({ event_id: made.id });
  };
  return { homeserver, sent, state };
}

async function asked(question: string) {
  const ctx = await testContext();
  const model = await startModelServer();
  onTestFinished(() => model.stop());
  const place = await room();
  await makeTenant(ctx, { url: place.homeserver.url });
  await addModel(ctx, {
    tenantId: null,
    name: "scripted",
    provider: "openai-compatible",
    baseUrl: `${model.url}/v1`,
    model: "scripted",
    isDefault: true,
  });
  await deliver(ctx, event({ content: says(`Writer: ${question}`, WRITER) }));
  let runId = "";
  await drainRoom(ctx, { tenantId: TENANT, roomId: ROOM }, ([id]) => {
    runId = id ?? runId;
  });
  return { ctx, model, ...place, runId };
}

/** One attempt of the workflow's two steps. */
async function attempt(ctx: Context, runId: string): Promise<void> {
  const work = await loadWork(ctx, runId, { attempt: true });
  if (!work) throw new Error("The run is over.");
  const next = await think(ctx, work, loadSurroundings(ctx, work), signalOf(runId));
  const again = next === "deliver" ? await loadWork(ctx, runId, { attempt: false }) : null;
  if (again) await deliverAnswer(ctx, again);
}

const isFinal = ({ content }: Sent) => (content["dev.agentopia.run"] as { final: boolean }).final;

/** What a person sees in the end: one message, with its last edit. */
function seen(sent: Sent[]): { messages: number; text: string | undefined; finals: number } {
  const edits = sent.filter(({ content }) => content["m.new_content"]);
  const last = edits.at(-1)?.content["m.new_content"]?.body;
  const first = sent.find(({ content }) => !content["m.new_content"]);
  return {
    messages: sent.length - edits.length,
    text: last ?? first?.content.body,
    finals: sent.filter(isFinal).length,
  };
}

const ONCE = { messages: 1, text: "Answer to #q", finals: 1 };
const stateOf = async (ctx: Context) => (await ctx.sql`select state from runs`)[0]?.state;

test("an instant answer is one event", async () => {
  const { ctx, sent, runId } = await asked("#q");
  await attempt(ctx, runId);
  expect(sent).toHaveLength(1);
  expect(seen(sent)).toEqual(ONCE);
  expect(await stateOf(ctx)).toBe("done");
  expect(await ctx.sql`select output from steps where position = 0`).toEqual([{ output: "Answer to #q" }]);
});

test("an answer that the homeserver took without saying so is not said again", async () => {
  const { ctx, sent, state, runId } = await asked("#q");
  state.dies = (txn) => txn.startsWith("a.");
  await attempt(ctx, runId);
  expect(sent).toHaveLength(1);
  expect(seen(sent)).toEqual(ONCE);
});

test("a first text that the homeserver took without saying so becomes the whole answer", async () => {
  const { ctx, sent, state, runId } = await asked("#q [[chunks 6 300]]");
  state.dies = (txn) => txn.startsWith("a.");
  await attempt(ctx, runId);
  expect(seen(sent)).toEqual(ONCE);
  expect(await stateOf(ctx)).toBe("done");
});

test("a final edit that the homeserver took without saying so is sent once", async () => {
  const { ctx, sent, state, runId } = await asked("#q [[chunks 6 300]]");
  state.dies = (txn) => txn.startsWith("f.");
  await attempt(ctx, runId);
  expect(seen(sent)).toEqual(ONCE);
});

test("killed between the answer and its checkpoint: what was said stands, whatever the model says the second time", async () => {
  const { ctx, model, sent, runId } = await asked("#q");
  await attempt(ctx, runId);
  // As the database was before the answer went out.
  await ctx.sql`update runs set state = 'running', finished_at = null`;
  await ctx.sql`update steps set state = 'running', output = null where position = 0`;
  await ctx.sql`delete from steps where position = 1`;
  await ctx.sql`update answers set event_ids = '[]'::jsonb`;
  await ctx.sql`delete from answer_events`;
  model.script(() => ({ text: "Something else" }));
  await attempt(ctx, runId);
  expect(seen(sent)).toEqual(ONCE);
  expect(await stateOf(ctx)).toBe("done");
});

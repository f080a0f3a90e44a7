import { expect, test } from "vitest";
import { askTry, openTry, readTry } from "../../bots/try.ts";
import { eventually } from "../harness/eventually.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "crash-try" });
const BY = "operator:ann";

test("a try that the platform is killed in is finished after the restart, once, and the chat goes on", async () => {
  const { platform } = shared;
  const { ctx, model } = platform;
  const [agent] = await ctx.sql`select id, definition from agents where tenant_id = 'demo' limit 1`;
  const chat = await openTry(ctx, { tenantId: "demo", agentId: agent?.id, by: BY });
  const ask = (text: string) =>
    askTry(ctx, { tenantId: "demo", chatId: chat.id, text, definition: agent?.definition, by: BY });
  const read = () => readTry(ctx, { tenantId: "demo", chatId: chat.id, by: BY });

  await ask("#first [[chunks 60 6000]]");
  await eventually("a part of the answer", async () => ((await read())[0]?.text.length ?? 0) > 3);
  await platform.kill9();
  expect((await read())[0]?.state).toBe("running");
  await platform.start();
  await eventually("the end of the run", async () => (await read())[0]?.state === "done", { timeoutMs: 60_000 });
  expect((await read())[0]).toMatchObject({ text: "Answer to #first", error: null });
  const messages = await ctx.sql`select sender from inbox where room_id = ${`try:${chat.id}`}`;
  expect(messages).toHaveLength(2);
  // The call that was cut off is in the ledger as such, and gave back what it held.
  const calls = await ctx.sql`select state from ledger where room_id = ${`try:${chat.id}`} order by created_at`;
  expect(calls.map(({ state }) => state)).toEqual(["lost", "ok"]);

  await ask("#second");
  await eventually("the next answer", async () => (await read())[1]?.state === "done");
  const sent = model
    .asked("#second")[0]
    ?.messages.slice(1)
    .map(({ role, text }) => [role, text]);
  expect(sent).toEqual([
    ["user", "#first [[chunks 60 6000]]"],
    ["assistant", "Answer to #first"],
    ["user", "#second"],
  ]);
  // Nothing of it went to Matrix, and Synapse was not set back to its beginning for it.
  expect(await ctx.sql`select 1 from rooms where room_id like 'try:%'`).toEqual([]);
});

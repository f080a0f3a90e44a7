import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { settings } from "../../migrations/schema.ts";
import { startModelServer } from "./model-server.ts";
import { testContext } from "./postgres.ts";

test("each test gets an empty, migrated database of its own", async () => {
  for (const value of ["first", "second"]) {
    const ctx = await testContext();
    expect(await ctx.db.select().from(settings)).toEqual([]);
    await ctx.db.insert(settings).values({ key: "k", value });
    const [row] = await ctx.db.select().from(settings).where(eq(settings.key, "k"));
    expect(row?.value).toBe(value);
  }
});

test("the scripted model streams, holds, fails once, and records what it was asked", async () => {
  const model = await startModelServer();
  const ask = (content: string) =>
    fetch(`${model.url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content }] }),
    });
  const text = async (content: string) => (await ask(content)).text();

  expect((await text("hello #q1 [[chunks 4 20]]")).match(/"content":"[^"]+"/g)).toHaveLength(4);
  expect((await ask("#q2 [[503]] [[times 1]]")).status).toBe(503);
  expect(await text("#q2 [[503]] [[times 1]]")).toContain("Answer to #q2");

  const held = text("#q3 [[hold]]");
  await model.until((server) => server.heldNow().length === 1, "the held request");
  model.release();
  expect(await held).toContain("Answer to #q3");
  expect(model.asked("#q2")).toHaveLength(2);
  await model.stop();
});

import { beforeAll, expect, test, vi } from "vitest";

import { createForm } from "../../bots/forms/drafts.ts";
import { publishForm } from "../../bots/forms/publish.ts";
import { stopFilledForm } from "../../bots/forms/stop-filled.ts";
import { OFFER } from "../forms/offer.ts";
import type { Person } from "../harness/person.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 });

const shared = sharedPlatform({ name: "crash-forms" });
let alice: Person;
let general: string;

beforeAll(async () => {
  const { platform, agents } = shared;
  alice = await platform.person("alice");
  general = await alice.room("general");
  const [agent] = await platform.ctx.sql<
    { id: string }[]
  >`select id from agents where user_id = ${agents[0]?.userId ?? ""}`;
  for (const [name, by] of [
    ["alone", null],
    ["offer", agent?.id ?? ""],
  ] as const) {
    const prompt = `{{customer}} is told by ${name}`;
    const draft = await createForm(platform.ctx, {
      tenantId: "demo",
      definition: { ...OFFER, name, prompt, agent: by },
      by: alice.userId,
    });
    await publishForm(platform.ctx, { tenantId: "demo", formId: draft.id, revision: 1, by: alice.userId });
  }
}, 120_000);

/** Results that hold the word, without the messages that asked for them. */
const answers = (seen: ReturnType<Person["seenIn"]>, word: string) =>
  seen.filter(
    ({ content, type }) =>
      type === "m.room.message" && content.body?.includes(word) && !content.body.includes("customer="),
  );

test("forms that are filled in while the platform is killed again and again are answered once each", async () => {
  const { platform } = shared;
  const words: string[] = [];
  for (let kill = 0; kill < 4; kill++) {
    for (const name of ["alone", "offer"])
      for (let n = 0; n < 2; n++) {
        const word = `done-${name}-${kill}-${n}`;
        words.push(word);
        const slow = n === 0 ? "[[chunks 20 1200]]" : "";
        await alice.say(general, `!${name} customer="[[text ${word}]] ${slow} #${name}${kill}${n}" amount=1`);
      }
    await new Promise((later) => setTimeout(later, 150 + 400 * kill));
    await platform.kill9();
    platform.launch();
  }
  await platform.ready();
  for (const word of words) await alice.until(word, (seen) => answers(seen, word)[0], 60_000);
  const history = await alice.history(general);
  expect(words.map((word) => answers(history, word).length)).toEqual(words.map(() => 1));
  const states = await platform.ctx.sql`select state, count(*)::int as n from form_runs group by state`;
  expect(states).toEqual([{ state: "done", n: words.length }]);
}, 240_000);

test("forms that are in the model when the platform is killed are answered once when it is up again", async () => {
  const { platform } = shared;
  platform.model.hold();
  for (const name of ["alone", "offer"])
    await alice.say(general, `!${name} customer="[[text held-${name}]] #held${name}" amount=1`);
  await platform.model.until((model) => model.heldNow().length === 2, "2 forms in the model");
  await platform.kill9();
  platform.model.release();
  await platform.start();
  for (const name of ["alone", "offer"]) await alice.until(name, (seen) => answers(seen, `held-${name}`)[0], 60_000);
  const history = await alice.history(general);
  expect(["alone", "offer"].map((name) => answers(history, `held-${name}`).length)).toEqual([1, 1]);
}, 120_000);

const WAYS = ["by a message in its room", "by another process", "while the platform is away"] as const;

test.each(WAYS)(
  "a form that is in the model is stopped %s: the room is told once, and nothing stays open",
  async (way) => {
    const { platform } = shared;
    const { sql } = platform.ctx;
    const word = `stopped ${WAYS.indexOf(way)}`;
    platform.model.hold();
    const command = await alice.say(general, `!alone customer="#${word.replace(" ", "-")}" amount=1`);
    await platform.model.until((model) => model.heldNow().length === 1, "the form in the model");
    const [form] = await sql<{ id: string }[]>`select id from form_runs where question_event = ${command}`;
    const id = form?.id ?? "";
    const stop = () => stopFilledForm(platform.ctx, { tenantId: "demo", id, by: alice.userId });
    if (way === "by a message in its room") await alice.say(general, "!stop");
    else if (way === "by another process") await stop();
    else {
      await platform.kill9();
      await stop();
      await platform.start();
    }
    const told = (seen: ReturnType<Person["seenIn"]>) =>
      seen.filter(
        ({ content }) =>
          content["m.relates_to"]?.["m.in_reply_to"]?.event_id === command &&
          content.body?.includes("It was stopped by"),
      );
    await alice.until(word, (seen) => told(seen)[0], 60_000);
    platform.model.release();
    expect(told(await alice.history(general))).toHaveLength(1);
    expect(await sql`select state, result from form_runs where id = ${id}`).toEqual([
      { state: "stopped", result: null },
    ]);
    const ended = way === "while the platform is away" ? "lost" : "aborted";
    expect(await sql`select state from ledger where run_id = ${id}`).toEqual([{ state: ended }]);
    expect(await sql`select sum(reserved)::int as held from token_days where tenant_id = 'demo'`).toEqual([
      { held: 0 },
    ]);
  },
);

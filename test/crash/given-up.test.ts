/** The engine gives up the workflow of a run, with the real engine and a real Synapse: the run ends all the same, and its message in the room with it. */
import { expect, test } from "vitest";
import { answersTo } from "../harness/answers.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "crash-given-up" });

test("an answer that was half written when the engine gave it up ends with a sentence, in the message that there is, once", async () => {
  const { platform, agents } = shared;
  const { sql } = platform.ctx;
  const alice = await platform.person("alice");
  const agent = agents[0]?.userId ?? "";
  const room = await alice.makeRoom({ name: "given up", invite: [agent], joined: true });
  const question = await alice.ask(room, agent, "[[chunks 40 60000]] [[text It was a dark and stormy night.]] #half");
  await alice.until("the first words", (seen) => answersTo(seen, question)[0], 30_000);
  await platform.kill9();
  const [run] = await sql<{ id: string }[]>`
    update runs set created_at = now() - interval '2 minutes' where question_event = ${question} returning id`;
  await sql`update dbos.workflow_status set status = 'ERROR' where workflow_uuid = ${run?.id ?? ""}`;
  await platform.start();
  const answer = await alice.answer(question, 60_000);
  expect(answer.text).toContain("This ended inside the workflow engine before it was finished. Ask again;");
  expect(answersTo(await alice.history(room), question)).toHaveLength(1);
  expect(await sql`select state, error_code from runs where id = ${run?.id ?? ""}`).toEqual([
    { state: "failed", error_code: "internal" },
  ]);
}, 180_000);

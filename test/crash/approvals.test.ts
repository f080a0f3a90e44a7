/** Approvals and tool calls across `kill -9`, against real Synapse and a real SMTP server: nothing is done twice, nothing is forgotten. */
import { setTimeout as sleep } from "node:timers/promises";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { saveMail } from "../../bots/tools/settings.ts";
import { eventually } from "../harness/eventually.ts";
import type { Person } from "../harness/person.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 });

/** Subjects of the mails that came in whole. `hold`: the server has taken a mail and does not say so. */
const mails: string[] = [];
const state: { hold: boolean; held: (() => void)[] } = { hold: false, held: [] };
const smtp = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  onData(stream, _session, done) {
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("end", () => {
      mails.push(/^Subject: (.*)$/m.exec(Buffer.concat(parts).toString())?.[1]?.trim() ?? "");
      if (state.hold) state.held.push(() => done());
      else done();
    });
  },
});
smtp.on("error", () => undefined); // a killed platform hangs up in the middle
const port = await new Promise<number>((resolve) => {
  const server = smtp.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
});
afterAll(() => new Promise<void>((resolve) => smtp.close(() => resolve())));

const shared = sharedPlatform({ name: "crash-approvals", env: { AGENTOPIA_ALLOW_HOSTS: `127.0.0.1:${port}` } });
let alice: Person;
let agent = "";
let room = "";

beforeAll(async () => {
  const { platform } = shared;
  alice = await platform.person("alice");
  agent = shared.agents[0]?.userId ?? "";
  room = await alice.makeRoom({ name: "mails", invite: [agent] });
  const tools = JSON.stringify({ tools: { mail: { policy: "ask" } } });
  await platform.ctx.sql`update agents set definition = definition || ${tools}::text::jsonb where user_id = ${agent}`;
  await saveMail(platform.ctx, "demo", {
    host: "127.0.0.1",
    port,
    secure: false,
    user: null,
    from: "agents@demo.test",
    password: null,
  });
});

const mail = (subject: string) =>
  `[[call mail_send ${JSON.stringify({ to: ["ann@example.org"], subject, text: "Hello." })}]] [[results]]`;

/** The message in which the agent asks whether this mail may go. */
const questionAbout = (subject: string) =>
  alice.until(
    `the question about ${subject}`,
    (seen) =>
      seen.find(
        ({ content }) =>
          content["dev.agentopia.approval"] && !content["m.new_content"] && content.body?.includes(`“${subject}”`),
      ),
    90_000,
  );

test("the platform is killed while an approval waits; the reaction comes while it is away; then the mail goes once", async () => {
  const { platform } = shared;
  const question = await alice.ask(room, agent, `${mail("one")} #one`);
  const asked = await questionAbout("one");
  await platform.kill9();
  await alice.react(room, asked.event_id, "✅");
  await platform.start();
  expect((await alice.answer(question, 60_000)).text).toMatch(/ann@example\.org/);
  expect(mails.filter((subject) => subject === "one")).toHaveLength(1);
  await alice.until("who decided stands in the question", (seen) =>
    seen.some(
      ({ content }) =>
        content["m.relates_to"]?.event_id === asked.event_id && content["m.new_content"]?.body?.includes("Allowed by"),
    ),
  );
});

test("killed while a mail is being handed over, it is not sent again: the outcome is said to be unknown", async () => {
  const { platform } = shared;
  state.hold = true;
  const question = await alice.ask(room, agent, `${mail("two")} #two`);
  await alice.react(room, (await questionAbout("two")).event_id, "✅");
  await eventually("the mail is with the server", async () => mails.includes("two"), { timeoutMs: 30_000 });
  await platform.kill9();
  state.hold = false;
  for (const release of state.held.splice(0)) release();
  await platform.start();
  expect((await alice.answer(question, 60_000)).text).toMatch(/^Outcome unknown/);
  expect(mails.filter((subject) => subject === "two")).toHaveLength(1);
});

test("killed eight times at random while twelve mails are asked, approved and sent: each goes at most once, and each run ends", async () => {
  const { platform } = shared;
  const subjects = Array.from({ length: 12 }, (_, n) => `many-${n}`);
  const questions = subjects.map(async (subject, n) => {
    await sleep(n * 700);
    const question = await alice.ask(room, agent, `${mail(subject)} #${subject}`);
    await alice.react(room, (await questionAbout(subject)).event_id, "✅");
    return question;
  });
  for (let kill = 0; kill < 8; kill++) {
    await sleep(300 + Math.random() * 2500);
    await platform.kill9();
    platform.launch();
  }
  await platform.ready();
  const asked = await Promise.all(questions);
  const answers = await Promise.all(asked.map((question) => alice.answer(question, 90_000)));
  for (const [n, subject] of subjects.entries()) {
    const times = mails.filter((one) => one === subject).length;
    const unknown = answers[n]?.text.startsWith("Outcome unknown") === true;
    expect({ subject, times: unknown ? Math.min(times, 1) : times }).toEqual({ subject, times: unknown ? times : 1 });
    expect(times).toBeLessThanOrEqual(1);
  }
});

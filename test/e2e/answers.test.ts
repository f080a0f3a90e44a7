import { beforeAll, expect, test } from "vitest";
import { answersTo } from "../harness/answers.ts";
import { longText } from "../harness/model-script.ts";
import type { Person } from "../harness/person.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "e2e-answers" });
let alice: Person;
let bob: Person;
let one: string;
let two: string;

beforeAll(async () => {
  alice = await shared.platform.person("alice");
  bob = await shared.platform.person("bob");
  [one = "", two = ""] = shared.agents.map((agent) => agent.userId);
});

test("the demo client has its team, its rooms and three agents in them", async () => {
  expect(shared.agents).toHaveLength(3);
  for (const name of ["general", "campaigns"]) await alice.room(name);
  const spaces = alice.client.getRooms().filter((room) => room.isSpaceRoom());
  expect(spaces.map((space) => space.name)).toEqual(["Marketing"]);
});

test("an agent that is mentioned answers whom it was asked by, and only it does", async () => {
  const room = await alice.room("general");
  const question = await alice.ask(room, one, "what is up? #mention");
  const answer = await alice.answer(question);
  expect(answer).toMatchObject({
    sender: one,
    text: "Answer to #mention",
    msgtype: "m.text",
    replyTo: question,
    mentions: [alice.userId],
    threadRoot: undefined,
  });
  expect(answer.finals).toHaveLength(1);
});

test("nobody answers what people say to each other, nor what names another person", async () => {
  const room = await alice.room("campaigns");
  await alice.say(room, "just talking #nobody");
  await alice.send(room, { msgtype: "m.text", body: "bob? #person", "m.mentions": { user_ids: [bob.userId] } });
  await alice.send(room, { msgtype: "m.notice", body: "a notice #notice", "m.mentions": { user_ids: [one] } });
  // Events of a room are routed in order: once this is answered, the others have been decided on.
  await alice.answer(await alice.ask(room, one, "and now? #after"));
  const asked = shared.platform.model.requests.map((request) => request.marker);
  expect(asked).not.toContain("#nobody");
  expect(asked).not.toContain("#person");
  expect(asked).not.toContain("#notice");
});

test("in a chat of one person and one agent no mention is needed", async () => {
  const room = await alice.makeRoom({ invite: [one], isDirect: true });
  const answer = await alice.answer(await alice.say(room, "hello there #direct"));
  expect(answer.text).toBe("Answer to #direct");
});

test("a third member ends the direct chat: from then on a mention is needed", async () => {
  const room = await alice.makeRoom({ name: "three", invite: [one, two] });
  await alice.say(room, "whom do I mean? #unclear");
  const answer = await alice.answer(await alice.ask(room, two, "you! #clear"));
  expect(answer.sender).toBe(two);
  expect(shared.platform.model.asked("#unclear")).toHaveLength(0);
});

test("a reply to an agent's message is a question to it", async () => {
  const room = await alice.room("general");
  const first = await alice.answer(await alice.ask(room, one, "first #reply1"));
  const question = await alice.send(room, {
    msgtype: "m.text",
    body: "and further? #reply2",
    "m.relates_to": { "m.in_reply_to": { event_id: first.eventId } },
    "m.mentions": { user_ids: [] },
  });
  expect((await alice.answer(question)).sender).toBe(one);
});

test("asked in a thread, an agent answers there, and goes on without a mention", async () => {
  const room = await alice.room("general");
  const root = await alice.say(room, "a thread begins here #root");
  const inThread = { rel_type: "m.thread", event_id: root, "m.in_reply_to": { event_id: root } };
  const first = await alice.answer(await alice.ask(room, one, "in the thread #thread1", inThread));
  expect(first.threadRoot).toBe(root);
  const follow = await alice.send(room, {
    msgtype: "m.text",
    body: "go on #thread2",
    "m.mentions": {},
    "m.relates_to": { ...inThread, is_falling_back: true, "m.in_reply_to": { event_id: first.eventId } } as never,
  });
  const second = await alice.answer(follow);
  expect(second).toMatchObject({ sender: one, threadRoot: root });
  const [request] = shared.platform.model.asked("#thread2");
  const heard = request?.messages.map((message) => message.text).join("\n");
  expect(heard).toContain("#root");
  expect(heard).toContain("Answer to #thread1");
  expect(heard).not.toContain("#mention");
});

test("a slow answer is shown as it grows, with a typing notice, few edits and one end", async () => {
  const room = await alice.makeRoom({ name: "streams", invite: [one, two] });
  const typed = new Promise<void>((resolve) => {
    alice.client.on(
      "RoomMember.typing" as never,
      ((_event: unknown, member: { userId: string; typing: boolean; roomId: string }) => {
        if (member.roomId === room && member.userId === one && member.typing) resolve();
      }) as never,
    );
  });
  const words = Array.from({ length: 62 }, (_, n) => `word${n}`).join(" ");
  const question = await alice.ask(room, one, `#stream [[text ${words}]] [[chunks 62 1600]]`);
  await typed;
  const answer = await alice.answer(question);
  expect(answer.text).toBe(words);
  expect(answer.versions.length).toBeGreaterThan(1);
  expect(answer.versions.length).toBeLessThanOrEqual(6);
  for (const version of answer.versions) expect(words.startsWith(version.replace(/[\s…]+$/, ""))).toBe(true);
});

test("a long answer comes in several messages, in order, nothing missing and nothing twice", async () => {
  const room = await alice.makeRoom({ name: "long", invite: [one, two] });
  const question = await alice.ask(room, one, "#long [[long 60000]]");
  const parts = await alice.until("the last part", (seen) => {
    const answers = answersTo(seen, question);
    return answers.at(-1)?.final && answers;
  });
  expect(parts.length).toBeGreaterThan(4);
  expect(parts.filter((part) => part.final)).toHaveLength(1);
  const all = parts.map((part) => part.text).join("\n\n");
  const lines = (text: string) => text.split(/\n+/).filter(Boolean);
  expect(lines(all)).toEqual(lines(longText(60_000)));
});

test("markdown becomes Matrix HTML with allowed tags only", async () => {
  const room = await alice.makeRoom({ name: "markdown", invite: [one, two] });
  const text =
    "**bold** and `code` <script>alert(1)</script> <img src=https://evil.example/x.png onerror=alert(1)> <a href='javascript:alert(1)'>click</a>";
  const answer = await alice.answer(await alice.ask(room, one, `#markdown [[text ${text}]]`));
  expect(answer.html).toContain("<strong>bold</strong>");
  expect(answer.html).toContain("<code>code</code>");
  expect(answer.html).not.toMatch(/<script|<img|onerror|javascript:/i);
});

test("!help says who is here and how to ask", async () => {
  const room = await alice.makeRoom({ name: "help", invite: [one, two] });
  await alice.say(room, "!help");
  const help = await alice.until("the help", (seen) =>
    seen.find((event) => event.room_id === room && event.content.msgtype === "m.notice"),
  );
  for (const agent of shared.agents.slice(0, 2)) expect(help.content.body).toContain(agent.name);
  expect(help.content.body).toMatch(/mention/i);
});

test("the model hears its instructions, who is in the room and what was said there, but nothing from before it came", async () => {
  const room = await alice.makeRoom({ name: "history" });
  await alice.say(room, "a secret from before #before");
  await alice.client.sendStateEvent(
    room,
    "m.room.history_visibility" as never,
    { history_visibility: "joined" } as never,
    "",
  );
  await alice.say(room, "still before #before2");
  for (const id of [one, two]) await alice.client.invite(room, id);
  await alice.until("both agents", (seen) =>
    [one, two].every((id) =>
      seen.some((event) => event.room_id === room && event.state_key === id && event.content.membership === "join"),
    ),
  );
  await alice.say(room, "something since #since");
  await alice.answer(await alice.ask(room, one, "what do you know? #knows"));
  const heard = shared.platform.model
    .asked("#knows")[0]
    ?.messages.map((message) => message.text)
    .join("\n");
  expect(heard).toContain("#since");
  expect(heard).toContain("alice");
  expect(heard).not.toContain("#before");
});

test("two agents asked in one message both answer", async () => {
  const room = await alice.makeRoom({ name: "both", invite: [one, two] });
  const question = await alice.send(room, {
    msgtype: "m.text",
    body: "both of you #both",
    "m.mentions": { user_ids: [one, two] },
  });
  const answers = await alice.answers(question, { count: 2 });
  expect(answers.map((answer) => answer.sender).sort()).toEqual([one, two].sort());
});

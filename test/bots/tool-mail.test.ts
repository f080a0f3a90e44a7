import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { mailSend } from "../../bots/tools/builtin/mail-send.ts";
import { checkMail, sendMail } from "../../bots/tools/mail.ts";
import { readMailAddress, readMailbox } from "../../bots/tools/mail-address.ts";
import { type OpenMail, saveMail } from "../../bots/tools/settings.ts";
import { findServer, safety } from "../../bots/tools/smtp-place.ts";
import { OutcomeUnknown, type ToolRun } from "../../bots/tools/tool.ts";
import type { Address } from "../../core/addresses.ts";
import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { testContext } from "../harness/postgres.ts";
import { MAIL_PASSWORD, mailServer } from "./mail-server.ts";
import { ALICE, makeTenant, TENANT } from "./tenant.ts";

async function setUp(options: { auth?: boolean; port?: number; allow?: string } = {}) {
  const server = await mailServer(options);
  const port = options.port ?? server.port;
  const ctx = await testContext({ env: { AGENTOPIA_ALLOW_HOSTS: options.allow ?? `127.0.0.1:${port}` } });
  await makeTenant(ctx);
  const user = options.auth ? "agents" : null;
  const settings: OpenMail = {
    host: "127.0.0.1",
    port,
    secure: false,
    user,
    from: "Agents of Acme <agents@acme.test>",
    password: user ? MAIL_PASSWORD : null,
  };
  return { server, ctx, settings };
}

const MAIL = { to: ["ann@example.org"], subject: "Offer", text: "Here it is." };

/** The tool as the caller runs it. */
const callOf = (
  ctx: ToolRun["ctx"],
  args: Record<string, unknown>,
  signal = new AbortController().signal,
): ToolRun => ({
  ctx,
  tenantId: TENANT,
  callId: "c0ffee",
  args,
  agent: { id: "writer", name: "Writer", userId: "@agent-writer:acme.test", deviceId: "AGENTOPIA" },
  run: { id: "r", source: "room", hops: 0, untrusted: null },
  roomId: "!room:acme.test",
  threadRoot: null,
  person: ALICE,
  rooms: [],
  maxChars: 20_000,
  signal,
});

async function sending(ctx: ToolRun["ctx"], settings: OpenMail, args: Record<string, unknown>, signal?: AbortSignal) {
  await saveMail(ctx, TENANT, settings);
  return await mailSend.run(callOf(ctx, args, signal));
}

const failing = async (work: Promise<unknown>): Promise<Error> => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Error);
  return error as Error;
};

test("a mail goes out through the client's server, with copies, and names itself by its call", async () => {
  const { server, ctx, settings } = await setUp({ auth: true });
  const answer = await sending(ctx, settings, {
    ...MAIL,
    cc: ["bob@example.org", "ANN@example.org"],
    subject: "Grüße",
  });
  expect(answer).toEqual({ text: "The mail was handed over for ann@example.org, bob@example.org." });
  const [mail] = server.mails;
  expect(mail).toMatchObject({ from: "agents@acme.test", to: ["ann@example.org", "bob@example.org"] });
  expect(mail?.raw).toContain("From: Agents of Acme <agents@acme.test>");
  expect(mail?.raw).toContain("Message-ID: <c0ffee@acme.test>");
  expect(mail?.raw).toContain("Auto-Submitted: auto-generated");
  expect(mail?.raw).toContain("Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=");
  expect(server.users).toEqual(["agents"]);
});

test("a text is no HTML, no file and no address, and dots at the beginning of lines arrive", async () => {
  const { server, ctx, settings } = await setUp();
  await sending(ctx, settings, { ...MAIL, text: "<b>x</b>\n.\n..\nfile:///etc/passwd\nBcc: eve@evil.test\n" });
  expect(server.mails[0]?.to).toEqual(["ann@example.org"]);
  expect(server.mails[0]?.raw).toMatch(
    /\r\n\r\n<b>x<\/b>\r\n\.\r\n\.\.\r\nfile:\/\/\/etc\/passwd\r\nBcc: eve@evil.test/,
  );
  expect(server.mails[0]?.raw.split("\r\n\r\n")[0]).not.toMatch(/^bcc:/im);
});

const INJECTIONS: [string, Record<string, unknown>][] = [
  ["a line break in the subject", { subject: "Hi\r\nBcc: eve@evil.test" }],
  ["a bare line feed in the subject", { subject: "Hi\nBcc: eve@evil.test" }],
  ["a bare return in the subject", { subject: "Hi\rBcc: eve@evil.test" }],
  ["a NUL in the subject", { subject: "Hi\0there" }],
  ["a line separator in the subject", { subject: "Hi\u2028Bcc: eve@evil.test" }],
  ["a line break behind an address", { to: ["ann@example.org\r\nBcc: eve@evil.test"] }],
  ["a command behind an address", { to: ["ann@example.org>\r\nRCPT TO:<eve@evil.test"] }],
  ["two addresses in one", { to: ["ann@example.org, eve@evil.test"] }],
  ["two addresses with a semicolon", { to: ["ann@example.org;eve@evil.test"] }],
  ["two addresses with a space", { to: ["ann@example.org eve@evil.test"] }],
  ["a group", { to: ["friends: ann@example.org, eve@evil.test;"] }],
  ["an address in brackets behind another", { to: ["ann@example.org <eve@evil.test>"] }],
  ["a quoted name", { to: ['"ann@example.org,eve"@evil.test'] }],
  ["a comment", { to: ["ann@example.org(eve@evil.test)"] }],
  ["a percent route", { to: ["ann@example.org@evil.test"] }],
  ["a source route", { to: ["@evil.test:ann@example.org"] }],
  ["an IP address", { to: ["ann@[127.0.0.1]"] }],
  ["a number for a domain", { to: ["ann@127.0.0.1"] }],
  ["no address", { to: ["ann"] }],
  ["nothing", { to: [""] }],
  ["a direction mark", { to: ["ann@example\u202e.org"] }],
  ["a line break in a copy", { cc: ["bob@example.org\nBcc: eve@evil.test"] }],
  ["21 recipients", { to: Array.from({ length: 21 }, (_, n) => `p${n}@example.org`) }],
  ["21 recipients with copies", { cc: Array.from({ length: 20 }, (_, n) => `p${n}@example.org`) }],
];

test.each(INJECTIONS)("%s: refused before anything is sent", async (_name, change) => {
  const { server, ctx, settings } = await setUp();
  const error = await failing(sending(ctx, settings, { ...MAIL, ...change }));
  expect(error).toBeInstanceOf(AppError);
  expect(error.message).toMatch(/Nothing was sent\.$/);
  expect([server.connections, server.mails]).toEqual([0, []]);
});

test("nobody is hidden from who approves a mail", () => {
  const to = Array.from({ length: 20 }, (_, n) => `${"x".repeat(60)}${n}@example.org`);
  const sentence = mailSend.sentence({
    ...MAIL,
    to,
    cc: ["eve@evil.test"],
    subject: "a\nb\u202ec",
    text: "x".repeat(1000),
  });
  for (const address of [...to, "eve@evil.test"]) expect(sentence).toContain(address);
  expect(sentence).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  expect(mailSend.targets?.({ to: [" Ann@Example.ORG "], cc: ["b@x.org"] })).toEqual([
    { kind: "recipient", value: "Ann@example.org" },
    { kind: "recipient", value: "b@x.org" },
  ]);
});

test("a recipient that the server refuses is named, and the others get it", async () => {
  const { server, ctx, settings } = await setUp();
  server.refuses.add("bob@example.org");
  const answer = await sending(ctx, settings, { ...MAIL, to: ["ann@example.org", "bob@example.org"] });
  expect(answer).toEqual({
    text: "The mail was handed over for ann@example.org. The mail server refused bob@example.org: 550 No such mailbox here.",
  });
  expect(server.mails[0]?.to).toEqual(["ann@example.org"]);
});

test("when it refuses every recipient, nothing was sent", async () => {
  const { server, ctx, settings } = await setUp();
  server.refuses.add("ann@example.org");
  const error = await failing(sending(ctx, settings, MAIL));
  expect(error).toBeInstanceOf(AppError);
  expect(error.message).toBe("The mail server 127.0.0.1 refused the mail: 550 No such mailbox here. Nothing was sent.");
  expect(server.mails).toEqual([]);
});

test("a server that refuses the mail after it got it has said so: nothing was sent", async () => {
  const { server, ctx, settings } = await setUp();
  server.onData = "refuse";
  const error = await failing(sending(ctx, settings, MAIL));
  expect(error).toBeInstanceOf(AppError);
  expect(error.message).toContain("554 This looks like spam");
});

test("a wrong password is said, and never repeated", async () => {
  const { server, ctx, settings } = await setUp({ auth: true });
  const error = await failing(sending(ctx, { ...settings, password: "s3cret-but-wrong" }, MAIL));
  expect(error).toBeInstanceOf(AppError);
  expect(error.message).toBe(
    "The mail server 127.0.0.1 refused the user name or the password. Nothing was sent. A manager checks user name and password under Tools → Settings.",
  );
  expect(JSON.stringify([error.message, error.cause ?? null])).not.toContain("s3cret-but-wrong");
  expect(server.mails).toEqual([]);
});

test("a connection that breaks while the mail is handed over leaves the outcome unknown", async () => {
  const { server, ctx, settings } = await setUp();
  server.onData = "drop";
  expect(await failing(sending(ctx, settings, { ...MAIL, text: "x".repeat(50_000) }))).toBeInstanceOf(OutcomeUnknown);
});

test("a server that never says whether it took the mail leaves the outcome unknown", async () => {
  const { server, ctx, settings } = await setUp();
  server.onData = "hang";
  const stop = new AbortController();
  const error = failing(sending(ctx, settings, MAIL, stop.signal));
  await server.dataBegan;
  stop.abort(new AppError("invalid", "stopped"));
  expect(await error).toBeInstanceOf(OutcomeUnknown);
});

/** What it says to whoever connects; then nothing more. */
async function plainServer(greet: (socket: Socket) => void): Promise<{ port: number; met: Promise<void> }> {
  let meet: () => void = () => undefined;
  const met = new Promise<void>((resolve) => {
    meet = resolve;
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined); // cut off by the test
    greet(socket);
    meet();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, met };
}

test("a server that hangs before the mail is stopped, and nothing was sent", async () => {
  const silent = await plainServer(() => undefined);
  const { ctx, settings } = await setUp({ port: silent.port });
  const stop = new AbortController();
  const error = failing(sending(ctx, settings, MAIL, stop.signal));
  await silent.met;
  const reason = new AppError("invalid", "stopped");
  stop.abort(reason);
  expect(await error).toBe(reason);
});

test.each([
  ["closes at once", (socket: Socket) => socket.destroy()],
  ["is no mail server", (socket: Socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ["talks without end", (socket: Socket) => socket.write("220 ".padEnd(200_000, "x"))],
  ["refuses to talk", (socket: Socket) => socket.end("554 go away\r\n")],
])("a server that %s: nothing was sent", async (_name, greet) => {
  const { port } = await plainServer(greet);
  const { ctx, settings } = await setUp({ port });
  const error = await failing(sending(ctx, settings, MAIL));
  expect(error).toBeInstanceOf(AppError);
  expect(error.message).toContain("Nothing was sent.");
});

test("TLS from the first byte with a server that has none: nothing was sent", async () => {
  const { ctx, settings, server } = await setUp();
  const error = await failing(sending(ctx, { ...settings, secure: true }, MAIL));
  expect(error).toBeInstanceOf(AppError);
  expect(error.message).toContain("Nothing was sent.");
  expect(server.mails).toEqual([]);
});

test("without settings the agent is told who makes them", async () => {
  const { ctx } = await setUp();
  expect((await failing(mailSend.run(callOf(ctx, MAIL)))).message).toMatch(/no mail server for agents yet/);
});

test("settings are tried with and without a mail, and what is wrong is a sentence", async () => {
  const { ctx, settings, server } = await setUp({ auth: true });
  const id = newId();
  expect(await checkMail(ctx, settings, { id })).toEqual({
    ok: true,
    text: "127.0.0.1 takes mails from here. No mail was sent.",
  });
  expect(server.mails).toEqual([]);
  expect(await checkMail(ctx, settings, { id, to: "ann@example.org" })).toMatchObject({ ok: true });
  expect(server.mails[0]?.to).toEqual(["ann@example.org"]);
  const wrong = await checkMail(ctx, { ...settings, password: "hidden-1" }, { id });
  expect(wrong).toEqual({
    ok: false,
    text: "The mail server 127.0.0.1 refused the user name or the password. Nothing was sent. Check user name and password.",
  });
  expect(await checkMail(ctx, { ...settings, host: "10.0.0.1" }, { id })).toMatchObject({ ok: false });
});

test("a server that is not there is said beside its settings without sending anybody to them, and to agents with the way there", async () => {
  const { ctx, settings } = await setUp({ port: 9 });
  const away = "The mail server 127.0.0.1 cannot be reached, or ended the connection. Nothing was sent.";
  expect((await checkMail(ctx, settings, { id: newId() })).text).toBe(`${away} Check server, port and security.`);
  expect((await failing(sending(ctx, settings, MAIL))).message).toBe(
    `${away} A manager checks server, port and security under Tools → Settings.`,
  );
  const gone = { id: newId(), lookup: () => Promise.reject(new Error("ENOTFOUND")) };
  const nowhere = await checkMail(ctx, { ...settings, host: "nowhere.test" }, gone);
  expect(nowhere.text).toBe(
    'There is no mail server "nowhere.test" that can be found: look whether its name is right.',
  );
});

const NAMES: Record<string, string[]> = {
  "mail.test": ["93.184.215.14"],
  "inside.test": ["10.0.0.7"],
  "mixed.test": ["93.184.215.14", "127.0.0.1"],
  "mapped.test": ["::ffff:10.0.0.1"],
  "nowhere.test": [],
};
const lookup = async (host: string): Promise<Address[]> =>
  (NAMES[host] ?? []).map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));

test.each([
  "127.0.0.1",
  "localhost",
  "mail.localhost",
  "10.0.0.1",
  "192.168.1.1",
  "172.16.0.1",
  "169.254.169.254",
  "168.63.129.16",
  "100.64.0.1",
  "0.0.0.0",
  "2130706433",
  "0x7f.1",
  "0177.0.0.1",
  "127.1",
  "１２７.0.0.1",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "64:ff9b::7f00:1",
  "fe80::1",
  "fd00::1",
  "inside.test",
  "mixed.test",
  "mapped.test",
  "nowhere.test",
  "unknown.test",
  "mail.test:25",
  "user@mail.test",
  "mail.test/path",
  "mail.test#x",
  "mail.test?x",
  "mail.test\r\nX",
  "",
])("the mail server %j may not be reached", async (host) => {
  const { ctx, settings, server } = await setUp({ allow: "elsewhere.test" });
  await expect(findServer({ ...settings, host }, { lookup })).rejects.toMatchObject({ code: "address_refused" });
  const sent = sendMail(
    ctx,
    { ...settings, host },
    { ...MAIL, cc: [] },
    { id: "x", lookup, signal: new AbortController().signal },
  );
  await expect(sent).rejects.toMatchObject({ code: "address_refused" });
  expect(server.connections).toBe(0);
});

test("a name that leads elsewhere a moment later changes nothing: what was checked is what is connected to", async () => {
  const { server, settings } = await setUp();
  let asked = 0;
  const turning = async (): Promise<Address[]> => [
    asked++ === 0 ? { address: "93.184.215.14", family: 4 } : { address: "127.0.0.1", family: 4 },
  ];
  const place = await findServer({ ...settings, host: "turning.test" }, { lookup: turning });
  expect(place).toMatchObject({ address: "93.184.215.14", servername: "turning.test" });
  expect([asked, server.connections]).toEqual([1, 0]);
});

test("an allowed name is connected to where it led when it was looked up, and not looked up again", async () => {
  const { server, ctx, settings } = await setUp({ allow: "mail.inside.test" });
  let asked = 0;
  const local = async (): Promise<Address[]> => {
    asked++;
    return [{ address: "127.0.0.1", family: 4 }];
  };
  const mail = { ...MAIL, cc: [] };
  const signal = new AbortController().signal;
  await sendMail(ctx, { ...settings, host: "mail.inside.test" }, mail, { id: "x", lookup: local, signal });
  expect([asked, server.mails.length]).toEqual([1, 1]);
});

test.each([
  [
    "a password to a public server",
    { address: "93.184.215.14", secure: false, user: "a", allowed: false },
    true,
    false,
  ],
  ["a password over TLS", { address: "93.184.215.14", secure: true, user: "a", allowed: false }, false, false],
  [
    "no password to a public server",
    { address: "93.184.215.14", secure: false, user: null, allowed: false },
    false,
    false,
  ],
  ["a password to an allowed server", { address: "10.0.0.7", secure: false, user: "a", allowed: true }, false, false],
  ["a password on this machine", { address: "127.0.0.1", secure: false, user: "a", allowed: true }, false, true],
  ["a password on this machine, in IPv6", { address: "::1", secure: false, user: "a", allowed: true }, false, true],
])("%s", (_name, how, requireTLS, ignoreTLS) => {
  expect(safety(how)).toEqual({ requireTLS, ignoreTLS });
});

test.each([
  ["ann@example.org", "ann@example.org"],
  ["Ann.B+x@Example.ORG", "Ann.B+x@example.org"],
  ["ann@bücher.example", "ann@xn--bcher-kva.example"],
  ["o'neil@example.org", "o'neil@example.org"],
  [".ann@example.org", null],
  ["ann..b@example.org", null],
  ["ann@example", null],
  ["ann@-example.org", null],
  ["jörg@example.org", null],
  [`${"a".repeat(65)}@example.org`, null],
  [`a@${"b".repeat(250)}.org`, null],
])("the address %j", (text, read) => {
  expect(readMailAddress(text)).toBe(read);
});

test.each([
  ["agents@acme.test", { name: "", address: "agents@acme.test" }],
  ["Agents of Acme <agents@acme.test>", { name: "Agents of Acme", address: "agents@acme.test" }],
  ['"Acme, Agents" <agents@acme.test>', { name: "Acme, Agents", address: "agents@acme.test" }],
  ["A <a@acme.test>, B <b@acme.test>", null],
  ["A <a@acme.test> <b@acme.test>", null],
  ["A\r\nBcc: eve@evil.test <a@acme.test>", null],
  ["<>", null],
  ["", null],
])("the sender %j", (text, read) => {
  expect(readMailbox(text)).toEqual(read);
});

import { expect, test } from "vitest";
import { filesList } from "../../bots/tools/builtin/files-list.ts";
import { filesRead } from "../../bots/tools/builtin/files-read.ts";
import { filesSend } from "../../bots/tools/builtin/files-send.ts";
import { filesTake } from "../../bots/tools/builtin/files-take.ts";
import { filesWrite } from "../../bots/tools/builtin/files-write.ts";
import { filePath } from "../../bots/tools/file-paths.ts";
import { areaOf, listFiles, MOST_AREA, MOST_FILE, readFile, removeFile, writeFile } from "../../bots/tools/files.ts";
import type { Tool, ToolRun } from "../../bots/tools/tool.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import { testContext } from "../harness/postgres.ts";
import { ok, type ScriptedHomeserver, scriptedHomeserver } from "./homeserver.ts";
import { ALICE, BOB, deliver, event, makeTenant, ROOM, TENANT, WRITER } from "./tenant.ts";

async function setUp() {
  const homeserver = await scriptedHomeserver();
  const ctx = await testContext();
  await makeTenant(ctx, { url: homeserver.url });
  return { ctx, homeserver };
}

interface Wish {
  untrusted?: string | null;
  roomId?: string | null;
  threadRoot?: string | null;
  person?: string;
  callId?: string;
  maxChars?: number;
}

const runTool = async (tool: Tool, ctx: Context, args: Record<string, unknown>, wish: Wish = {}) => {
  const call: ToolRun = {
    ctx,
    tenantId: TENANT,
    callId: wish.callId ?? "call1",
    args,
    agent: { id: "writer", name: "Writer", userId: WRITER, deviceId: "AGENTOPIA" },
    run: { id: "r", source: "room", hops: 0, untrusted: wish.untrusted ?? null },
    roomId: wish.roomId === undefined ? ROOM : wish.roomId,
    threadRoot: wish.threadRoot ?? null,
    person: wish.person ?? ALICE,
    rooms: [],
    maxChars: wish.maxChars ?? 20_000,
    signal: new AbortController().signal,
  };
  const result = await tool.run(call);
  if ("waiting" in result) throw new Error("a tool of files waits for nobody");
  return result;
};

const put = (ctx: Context, path: string, text: string, more: { untrusted?: string | null } = {}) =>
  writeFile(ctx, TENANT, { path, bytes: Buffer.from(text), untrusted: more.untrusted ?? null, by: ALICE });

test.each([
  "../secret",
  "reports/../secret",
  "reports/..",
  "..",
  ".",
  "./a",
  "a/./b",
  "/etc/passwd",
  "//a",
  "a//b",
  "a/",
  "",
  " ",
  "..\\secret",
  "a\\b",
  "%2e%2e/secret",
  "%2E%2E%2Fsecret",
  "..%2fsecret",
  "a%2f..%2fsecret",
  "%252e%252e%252fsecret",
  "%25252e%25252e/secret",
  "a%5c..%5cb",
  "a%00b",
  "a\0b",
  "a\nb",
  "a\rb",
  "a\u2028b",
  "a\u202eb",
  "a\u200bb",
  "．．/secret",
  "‥/secret",
  "․․/secret",
  "a／..／b",
  "a／b",
  "a＼b",
  ".. /secret",
  " ../secret",
  "..\u00a0/secret",
  "a/ b",
  "a /b",
  `${"a".repeat(301)}`,
  "\ud800",
])("the path %j is refused, by every tool", async (path) => {
  expect(() => filePath(path)).toThrow(AppError);
  const { ctx } = await setUp();
  for (const tool of [filesRead, filesWrite, filesSend, filesTake]) {
    const args = { path, text: "x", name: "x" };
    await expect(runTool(tool, ctx, args)).rejects.toMatchObject({ name: "AppError" });
    expect(() => tool.targets?.(args)).not.toThrow();
    expect(tool.sentence(args)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
  }
  expect(await listFiles(ctx, TENANT, { limit: 10 })).toEqual([]);
});

test.each(["a", "reports/march.md", "Ünï/cödé 1.txt", "100%.txt", "a..b/...c", ".hidden", "👩‍💻.md"])(
  "the path %j is fine",
  (path) => {
    expect(filePath(path)).toBe(path.normalize("NFC"));
  },
);

test("the same name in two spellings of Unicode is one file", async () => {
  const { ctx } = await setUp();
  await put(ctx, "cafe\u0301.txt", "one");
  await put(ctx, "caf\u00e9.txt", "two");
  expect(await areaOf(ctx, TENANT)).toEqual({ bytes: 3, files: 1 });
});

test("a client sees and changes its own files only", async () => {
  const { ctx } = await setUp();
  await createTenant(ctx, { id: "rival", serverName: "rival.test", driver: "external", url: "http://127.0.0.1:9" });
  await writeFile(ctx, "rival", {
    path: "plan.md",
    bytes: Buffer.from("theirs"),
    untrusted: null,
    by: "@x:rival.test",
  });
  await expect(readFile(ctx, TENANT, "plan.md")).rejects.toMatchObject({ code: "not_found" });
  await expect(removeFile(ctx, TENANT, "plan.md")).rejects.toMatchObject({ code: "not_found" });
  await put(ctx, "plan.md", "ours");
  expect(Buffer.from((await readFile(ctx, "rival", "plan.md")).bytes).toString()).toBe("theirs");
});

test("the area is full at its limit, also when 50 write at once", async () => {
  const { ctx } = await setUp();
  // Filled up to the room for ten more files of 1 MB; its size alone counts.
  await put(ctx, "ballast.bin", "x");
  await ctx.sql`update files set size = ${MOST_AREA - 10_000_000} where path = 'ballast.bin'`;
  const bytes = Buffer.alloc(1_000_000);
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, (_, n) =>
      writeFile(ctx, TENANT, { path: `many/${n}.bin`, bytes, untrusted: null, by: ALICE }),
    ),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
  for (const result of results)
    if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "conflict" });
  expect(await areaOf(ctx, TENANT)).toEqual({ bytes: MOST_AREA, files: 11 });
  // In place of what is there already, it still fits.
  const [one] = await listFiles(ctx, TENANT, { folder: "many", limit: 1 });
  await writeFile(ctx, TENANT, { path: one?.path ?? "", bytes, untrusted: null, by: ALICE });
});

test("50 texts appended to one file at once are all in it", async () => {
  const { ctx } = await setUp();
  await Promise.all(
    Array.from({ length: 50 }, (_, n) => runTool(filesWrite, ctx, { path: "log.txt", text: `<${n}>`, append: true })),
  );
  const text = Buffer.from((await readFile(ctx, TENANT, "log.txt")).bytes).toString();
  for (let n = 0; n < 50; n++) expect(text).toContain(`<${n}>`);
});

test("a file has its limit, also by appending", async () => {
  const { ctx } = await setUp();
  const most = { path: "a.bin", bytes: Buffer.alloc(MOST_FILE), untrusted: null, by: ALICE };
  await writeFile(ctx, TENANT, most);
  await expect(writeFile(ctx, TENANT, { ...most, bytes: Buffer.alloc(MOST_FILE + 1) })).rejects.toThrow(
    /at most 10 MB/,
  );
  await expect(writeFile(ctx, TENANT, { ...most, bytes: Buffer.from("x"), append: true })).rejects.toThrow(
    /at most 10 MB/,
  );
});

test("what an agent writes it reads again, in parts that fit, to the end", async () => {
  const { ctx } = await setUp();
  const text = Array.from({ length: 300 }, (_, n) => `line ${n} 👩‍💻`).join("\n");
  expect(await runTool(filesWrite, ctx, { path: "notes/long.md", text })).toEqual({
    text: "“notes/long.md” is written; it has 6 kB.",
  });
  let got = "";
  for (let offset: number | undefined = 0; offset !== undefined; ) {
    const { text: part } = await runTool(filesRead, ctx, { path: "notes/long.md", offset }, { maxChars: 1000 });
    expect(part.length).toBeLessThanOrEqual(1000);
    expect(part.isWellFormed()).toBe(true);
    const more: RegExpExecArray | null = /\n\n\[(\d+) of \d+ characters\. Go on with offset \d+\.\]$/.exec(part);
    got += more ? part.slice(0, more.index) : part;
    offset = more ? Number(more[1]) : undefined;
  }
  expect(got).toBe(text);
  expect((await runTool(filesRead, ctx, { path: "notes/long.md", offset: 1e6 })).text).toMatch(/ends before that/);
});

test("the list shows a folder and what is below it, and nothing beside it", async () => {
  const { ctx } = await setUp();
  for (const path of ["reports/a.md", "reports/2026/b.md", "reports-old/c.md", "d.md"]) await put(ctx, path, "x");
  const { text } = await runTool(filesList, ctx, { folder: "reports/" });
  expect(text.split("\n").map((line) => line.split(" ")[0])).toEqual(["reports/2026/b.md", "reports/a.md"]);
  expect((await runTool(filesList, ctx, { folder: "none" })).text).toBe("There are no files here.");
});

test("pictures and other files are no text, and that is said", async () => {
  const { ctx } = await setUp();
  const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
  await writeFile(ctx, TENANT, { path: "logo.png", bytes: png, untrusted: null, by: ALICE });
  await expect(runTool(filesRead, ctx, { path: "logo.png" })).rejects.toThrow(/is no text but image\/png \(16 bytes\)/);
});

test("a file that comes from where nobody vouches taints whoever reads it, and what is added to it", async () => {
  const { ctx } = await setUp();
  await runTool(filesWrite, ctx, { path: "page.md", text: "from a page" }, { untrusted: "the page https://x.test/" });
  expect(await runTool(filesRead, ctx, { path: "page.md" })).toMatchObject({ untrusted: "the page https://x.test/" });
  expect(await runTool(filesList, ctx, {})).toMatchObject({ untrusted: "the page https://x.test/" });
  await runTool(filesWrite, ctx, { path: "page.md", text: " and more", append: true });
  expect(await runTool(filesRead, ctx, { path: "page.md" })).toMatchObject({ untrusted: "the page https://x.test/" });
  await runTool(filesWrite, ctx, { path: "page.md", text: "all new" });
  expect(await runTool(filesRead, ctx, { path: "page.md" })).toMatchObject({ untrusted: null, text: "all new" });
});

const withMedia = (homeserver: ScriptedHomeserver, body: unknown = { offer: 1 }) => {
  homeserver.answer = ({ path }) => {
    if (path.endsWith("/upload")) return ok({ content_uri: "mxc://acme.test/up" });
    if (path.includes("/media/download/")) return ok(body);
    return undefined;
  };
};

test("a file is sent to the room in its thread, and doing it again is the same transaction", async () => {
  const { ctx, homeserver } = await setUp();
  withMedia(homeserver);
  await put(ctx, "reports/march.csv", "a,b", { untrusted: "the page https://x.test/" });
  for (let n = 0; n < 2; n++)
    await runTool(filesSend, ctx, { path: "reports/march.csv" }, { threadRoot: "$root", callId: "call7" });
  const sent = homeserver.to(/\/send\/m\.room\.message\//);
  expect(new Set(sent.map(({ path }) => path))).toEqual(
    new Set([`/_matrix/client/v3/rooms/${ROOM}/send/m.room.message/file.writer.call7`]),
  );
  expect(sent[0]).toMatchObject({
    as: WRITER,
    body: {
      msgtype: "m.file",
      body: "march.csv",
      url: "mxc://acme.test/up",
      info: { mimetype: "text/csv", size: 3 },
      "m.relates_to": { rel_type: "m.thread", event_id: "$root" },
      "m.mentions": {},
      "dev.agentopia.untrusted": "the page https://x.test/",
    },
  });
});

test("beside a form there is no room to send to or to take from", async () => {
  const { ctx } = await setUp();
  await put(ctx, "a.md", "x");
  for (const roomId of ["try:chat", null]) {
    await expect(runTool(filesSend, ctx, { path: "a.md" }, { roomId })).rejects.toThrow(/no room here/);
    await expect(runTool(filesTake, ctx, { path: "a.md", name: "a.md" }, { roomId })).rejects.toThrow(/no room here/);
  }
});

const sentFile = (name: string, more: Record<string, unknown> = {}) => ({
  msgtype: "m.file",
  body: name,
  url: "mxc://acme.test/one",
  info: { mimetype: "application/json" },
  ...more,
});

test("a file that was sent in the room is kept, by its name or its event", async () => {
  const { ctx, homeserver } = await setUp();
  withMedia(homeserver);
  await deliver(ctx, event({ id: "$f1", sender: BOB, content: sentFile("Offer.json") }));
  const answer = await runTool(filesTake, ctx, { name: "offer.json", path: "received/offer.json" });
  expect(answer).toEqual({ text: "“Offer.json” is kept as “received/offer.json” (11 bytes).", untrusted: null });
  expect((await runTool(filesRead, ctx, { path: "received/offer.json" })).text).toBe('{"offer":1}');
  await runTool(filesTake, ctx, { event: "$f1", path: "received/offer.json" });
  expect(await areaOf(ctx, TENANT)).toMatchObject({ files: 1 });
  expect(homeserver.to(/\/media\/download\//)[0]).toMatchObject({ as: WRITER });
});

test("of several with one name the newest is taken", async () => {
  const { ctx, homeserver } = await setUp();
  withMedia(homeserver);
  await deliver(
    ctx,
    event({ content: sentFile("a.json") }),
    event({ content: sentFile("a.json", { url: "mxc://acme.test/two" }) }),
  );
  await runTool(filesTake, ctx, { name: "a.json", path: "a.json" });
  expect(homeserver.to(/download/).map(({ path }) => path)).toEqual([
    "/_matrix/client/v1/media/download/acme.test/two",
  ]);
});

test("a file of somebody from another server is nobody's to vouch for; so is one that says so itself", async () => {
  const { ctx, homeserver } = await setUp();
  withMedia(homeserver);
  await deliver(ctx, event({ sender: "@eve:other.test", content: sentFile("eve.json") }));
  await deliver(
    ctx,
    event({ sender: WRITER, content: sentFile("own.json", { "dev.agentopia.untrusted": "the page https://x.test/" }) }),
  );
  await runTool(filesTake, ctx, { name: "eve.json", path: "eve.json" });
  await runTool(filesTake, ctx, { name: "own.json", path: "own.json" });
  expect(await runTool(filesRead, ctx, { path: "eve.json" })).toMatchObject({
    untrusted: "the file “eve.json” of @eve:other.test",
  });
  expect(await runTool(filesRead, ctx, { path: "own.json" })).toMatchObject({ untrusted: "the page https://x.test/" });
});

test("nobody gets a file through an agent that they could not see themselves", async () => {
  const { ctx, homeserver } = await setUp();
  withMedia(homeserver);
  await deliver(ctx, event({ id: "$old", sender: BOB, content: sentFile("old.json") }));
  const take = (person: string) => runTool(filesTake, ctx, { event: "$old", path: "old.json" }, { person });
  await ctx.sql`update room_members set visible_from = (select max(seq) + 1 from inbox) where user_id = ${ALICE}`;
  await expect(take(ALICE)).rejects.toMatchObject({ code: "not_found" });
  await expect(take("@carol:acme.test")).rejects.toMatchObject({ code: "not_found" });
  await expect(take("operator:admin")).rejects.toMatchObject({ code: "not_found" });
  await ctx.sql`update room_members set membership = 'leave' where user_id = ${BOB}`;
  await expect(take(BOB)).rejects.toMatchObject({ code: "not_found" });
  await ctx.sql`update room_members set membership = 'join' where user_id = ${BOB}`;
  await ctx.sql`update room_members set visible_from = (select max(seq) + 1 from inbox) where user_id = ${WRITER}`;
  await expect(take(BOB)).rejects.toMatchObject({ code: "not_found" });
  await ctx.sql`update room_members set visible_from = 0 where user_id = ${WRITER}`;
  await take(BOB);
});

test("a file of another room is not taken, nor a redacted one, nor an encrypted one", async () => {
  const { ctx, homeserver } = await setUp();
  withMedia(homeserver);
  await deliver(
    ctx,
    event({ id: "$elsewhere", room: "!other:acme.test", content: sentFile("x.json") }),
    event({ id: "$gone", content: {} }),
    event({ id: "$locked", content: { msgtype: "m.file", body: "y.json", file: { url: "mxc://acme.test/enc" } } }),
  );
  for (const id of ["$elsewhere", "$gone"])
    await expect(runTool(filesTake, ctx, { event: id, path: "x" })).rejects.toMatchObject({ code: "not_found" });
  await expect(runTool(filesTake, ctx, { event: "$locked", path: "x" })).rejects.toThrow(/encrypted/);
  await expect(runTool(filesTake, ctx, { path: "x" })).rejects.toThrow(/Say which file/);
});

/** A PDF of one page with one line, as small as one can be; readers find its parts by themselves. */
const pdf = (line: string) =>
  Buffer.from(`%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 100]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj
4 0 obj<</Length ${line.length + 33}>>stream
BT /F 12 Tf 20 50 Td (${line}) Tj ET
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer<</Root 1 0 R>>
%%EOF`);

test("a PDF is read as text, and one that is damaged is said to be", { timeout: 90_000 }, async () => {
  const { ctx } = await setUp();
  const write = (path: string, bytes: Uint8Array) =>
    writeFile(ctx, TENANT, { path, bytes, untrusted: null, by: ALICE });
  await write("offer.pdf", pdf("Ten chairs for 900 euros"));
  expect((await runTool(filesRead, ctx, { path: "offer.pdf" })).text).toBe("Ten chairs for 900 euros");
  await write("broken.pdf", Buffer.from("%PDF-1.7 nothing more"));
  await expect(runTool(filesRead, ctx, { path: "broken.pdf" })).rejects.toThrow(/This is no PDF that can be read/);
});

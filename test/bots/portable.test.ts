import { expect, test } from "vitest";
import { createDraft } from "../../bots/drafts.ts";
import { checkPicture, findPicture, keepPicture, MAX_PICTURE } from "../../bots/pictures.ts";
import { exportAgent, importAgent } from "../../bots/portable.ts";
import { publish } from "../../bots/publish.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import type { AgentDefinition } from "../../migrations/types.ts";
import { testContext } from "../harness/postgres.ts";
import { scriptedHomeserver } from "./homeserver.ts";
import { jpegOf, pngOf } from "./pictures.ts";
import { DEFINITION, SERVER, TENANT } from "./tenant.ts";

const ANN = "@ann:acme.test";

async function setting() {
  const ctx = await testContext();
  const homeserver = await scriptedHomeserver();
  await createTenant(ctx, { id: TENANT, serverName: SERVER, driver: "external", url: homeserver.url });
  await createTenant(ctx, { id: "other", serverName: "other.test", driver: "external", url: homeserver.url });
  const draft = (wish: Partial<AgentDefinition> = {}) =>
    createDraft(ctx, {
      tenantId: TENANT,
      definition: { ...DEFINITION, ...wish },
      templateId: "writer",
      templateDefinition: DEFINITION,
      by: ANN,
    });
  const take = (file: unknown, tenantId = "other") =>
    importAgent(ctx, { tenantId, file: typeof file === "string" ? file : JSON.stringify(file), by: ANN });
  return { ctx, draft, take };
}

const whole: Partial<AgentDefinition> = {
  name: "👩‍🚀 Astrid",
  description: "Flies & writes <b>boldly</b>",
  instructions: 'Be {{tone}}.\n\n"Quoted" – 作家',
  scope: "moderator",
  variables: { tone: "friendly" },
  limits: { tokensPerDay: 1000, maxAnswerTokens: 200 },
};

test("out of one client and into another it is the same agent, with its template and its picture", async () => {
  const { ctx, draft, take } = await setting();
  const avatar = { kind: "uploaded" as const, id: await keepPicture(ctx, TENANT, pngOf(32, 32)) };
  const row = await draft({ ...whole, avatar });
  const { row: copy, remarks } = await take(await exportAgent(ctx, row));
  expect(remarks).toEqual([]);
  expect(copy).toMatchObject({
    tenantId: "other",
    state: "draft",
    name: "👩‍🚀 Astrid",
    templateId: "writer",
    templateDefinition: DEFINITION,
  });
  const { avatar: face, ...rest } = copy.definition;
  expect(rest).toEqual({ ...DEFINITION, ...whole });
  if (face?.kind !== "uploaded") throw new Error("its picture came along");
  expect(Buffer.from((await findPicture(ctx, "other", face.id))?.bytes ?? [])).toEqual(pngOf(32, 32));
});

test("into the same client it gets a number; a drawn face stays the same", async () => {
  const { ctx, draft, take } = await setting();
  const row = await draft({ avatar: { kind: "generated", seed: "nice one" } });
  const { row: copy, remarks } = await take(await exportAgent(ctx, row), TENANT);
  expect(copy.name).toBe("Writer 2");
  expect(copy.definition.avatar).toEqual({ kind: "generated", seed: "nice one" });
  expect(remarks).toEqual(["There is an agent called Writer already: this one is called Writer 2."]);
});

test("neither secrets nor ids of the client are in the file", async () => {
  const { ctx, draft } = await setting();
  await ctx.sql`insert into models (id, tenant_id, name, provider, model, abilities, api_key)
    values ('model-id', ${TENANT}, 'ours', 'openai', 'gpt', '{}', 'sealed-key')`;
  const avatar = { kind: "uploaded" as const, id: await keepPicture(ctx, TENANT, pngOf(8, 8)) };
  const draftRow = await draft({ model: "ours", avatar, whoMayInvite: { users: ["@boss:acme.test"] } });
  const row = await publish(ctx, { tenantId: TENANT, agentId: draftRow.id, revision: 1, by: ANN });
  const file = await exportAgent(ctx, row);
  expect(file.definition).toMatchObject({ model: "ours", whoMayInvite: "nobody" });
  const text = JSON.stringify({ ...file, avatar: null });
  for (const secret of ["sealed-key", "model-id", avatar.id, row.id, row.userId, TENANT, SERVER, "boss", ANN])
    expect(text).not.toContain(secret);
});

test("a model that is not there is left out, with a remark", async () => {
  const { ctx, draft, take } = await setting();
  const row = await draft();
  const file = await exportAgent(ctx, row);
  const { row: copy, remarks } = await take({ ...file, definition: { ...file.definition, model: "theirs" } });
  expect(copy.definition.model).toBeNull();
  expect(remarks[0]).toContain('There is no model named "theirs" here');
});

const good = {
  agentopia: 1,
  kind: "agent",
  definition: DEFINITION,
  template: null,
  avatar: null,
};
const bad: [what: string, file: unknown, sentence: RegExp][] = [
  ["nothing", "", /it is no JSON/],
  ["a web page", "<!doctype html><html><body>Sign in</body></html>", /it is no JSON/],
  ["half of one", JSON.stringify(good).slice(0, 50), /it is no JSON/],
  ["a list", [good], /does not come from Agentopia/],
  ["null", "null", /does not come from Agentopia/],
  ["something else's JSON", { name: "x", version: "1.0.0" }, /does not come from Agentopia/],
  ["another kind", { ...good, kind: "team" }, /something else than an agent/],
  ["a file from the future", { ...good, agentopia: 2 }, /a newer Agentopia/],
  ["a field that nobody knows", { ...good, secrets: {} }, /the file: .*secrets/i],
  ["a field too much in the definition", { ...good, definition: { ...DEFINITION, powers: [] } }, /definition: /],
  [
    "tools that are none",
    { ...good, definition: { ...DEFINITION, tools: { web: { policy: "perhaps" } } } },
    /definition\.tools\.web/,
  ],
  [
    "people of another client",
    { ...good, definition: { ...DEFINITION, whoMayInvite: { users: ["@a:b"] } } },
    /whoMayInvite/,
  ],
  ["a scope that is none", { ...good, definition: { ...DEFINITION, scope: "king" } }, /definition\.scope/],
  ["a NUL", { ...good, definition: { ...DEFINITION, instructions: "a\0b" } }, /instructions: .*cannot be stored/],
  [
    "half a character",
    { ...good, definition: { ...DEFINITION, description: "\ud800" } },
    /description: .*cannot be stored/,
  ],
  ["a name that cannot be", { ...good, definition: { ...DEFINITION, name: "a\nb" } }, /line breaks/],
  ["a limit that cannot be", { ...good, definition: { ...DEFINITION, limits: { tokensPerDay: -1 } } }, /above 0/],
  ["a picture that is none", { ...good, avatar: Buffer.from("<svg/>").toString("base64") }, /no PNG or JPEG/],
  ["a picture that is no base64", { ...good, avatar: "%%%" }, /avatar/],
  ["more than 2 MB", { ...good, more: "x".repeat(2_000_001) }, /more than 2 MB/],
];

test.each(bad)("%s is refused with a sentence, and nothing is made", async (_what, file, sentence) => {
  const { ctx, take } = await setting();
  const error = await take(file).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: "invalid", message: expect.stringMatching(sentence) });
  expect(await ctx.sql`select 1 from agents`).toHaveLength(0);
});

const pictures: [what: string, bytes: Buffer, found: string | RegExp][] = [
  ["a PNG", pngOf(256, 256), "image/png"],
  ["a progressive JPEG", jpegOf(640, 480), "image/jpeg"],
  ["a PNG too wide", wide(pngOf(8, 8), 4097), /at most 4096 pixels/],
  ["a PNG of no width", wide(pngOf(8, 8), 0), /at most 4096 pixels/],
  ["a JPEG too high", jpegOf(10, 5000), /at most 4096 pixels/],
  ["an SVG", Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'), /no PNG or JPEG/],
  ["a GIF", Buffer.from("GIF89a\x01\0\x01\0"), /no PNG or JPEG/],
  ["a JPEG that ends early", jpegOf(10, 10).subarray(0, 12), /no PNG or JPEG/],
  ["a PNG's signature only", pngOf(8, 8).subarray(0, 8), /no PNG or JPEG/],
  ["nothing", Buffer.alloc(0), /no PNG or JPEG/],
  [
    "a JPEG of nothing but markers",
    Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(5000, 0xff)]),
    /no PNG or JPEG/,
  ],
  ["too many bytes", Buffer.concat([pngOf(8, 8), Buffer.alloc(MAX_PICTURE)]), /at most 1 MB/],
];

function wide(png: Buffer, width: number): Buffer {
  png.writeUInt32BE(width, 16);
  return png;
}

test.each(pictures)("%s", (_what, bytes, found) => {
  if (typeof found === "string") expect(checkPicture(bytes)).toBe(found);
  else expect(() => checkPicture(bytes)).toThrow(found);
});

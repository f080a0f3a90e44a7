import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import type { AgentRow } from "../../bots/agent-rows.ts";
import { discardDraft } from "../../bots/drafts.ts";
import { mergeTemplate } from "../../bots/merge-template.ts";
import { publish } from "../../bots/publish.ts";
import { agentsToUpdate, takeTemplateUpdate, templateUpdate } from "../../bots/template-update.ts";
import { getTemplate } from "../../bots/templates.ts";
import type { Context } from "../../core/context.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import { agents, agentVersions } from "../../migrations/schema.ts";
import type { AgentDefinition } from "../../migrations/types.ts";
import { testContext } from "../harness/postgres.ts";
import { SERVER, TENANT } from "./tenant.ts";

const BASE: AgentDefinition = {
  name: "Writer",
  description: "Writes.",
  instructions: "You write.\n\nShort sentences.\n\nNever invent facts.",
  model: null,
  whoMayInvite: "anyone",
  scope: "member",
  variables: { voice: "plain" },
};
const THEIRS = { ...BASE, instructions: "You write texts.\n\nShort sentences.\n\nNever invent facts." };

interface Case {
  name: string;
  base?: AgentDefinition | null;
  theirs?: Partial<AgentDefinition>;
  ours?: Partial<AgentDefinition>;
  merged: Partial<AgentDefinition>;
  changed: string[];
  conflicts?: { field: string; yours: unknown; template: unknown }[];
}

const CASES: Case[] = [
  { name: "nothing new changes nothing", merged: {}, changed: [] },
  {
    name: "what is new is taken",
    theirs: { description: "Edits." },
    merged: { description: "Edits." },
    changed: ["description"],
  },
  { name: "an own edit stays", ours: { description: "Mine." }, merged: { description: "Mine." }, changed: [] },
  {
    name: "both changed a field: the own one stays, both are shown",
    theirs: { description: "Edits." },
    ours: { description: "Mine." },
    merged: { description: "Mine." },
    changed: [],
    conflicts: [{ field: "description", yours: "Mine.", template: "Edits." }],
  },
  {
    name: "both changed a field to the same",
    theirs: { scope: "observer" },
    ours: { scope: "observer" },
    merged: { scope: "observer" },
    changed: [],
  },
  {
    name: "instructions are merged by line",
    theirs: { instructions: THEIRS.instructions },
    ours: { instructions: `${BASE.instructions}\n\nSign as Maya.` },
    merged: { instructions: `${THEIRS.instructions}\n\nSign as Maya.` },
    changed: ["instructions"],
  },
  {
    name: "the same line changed by both: the own one stays, the rest is taken",
    theirs: { instructions: "You write texts.\n\nShort sentences.\n\nNever invent facts or quotes." },
    ours: { instructions: "You write poems.\n\nShort sentences.\n\nNever invent facts." },
    merged: { instructions: "You write poems.\n\nShort sentences.\n\nNever invent facts or quotes." },
    changed: ["instructions"],
    conflicts: [{ field: "instructions", yours: "You write poems.", template: "You write texts." }],
  },
  {
    name: "a line that was taken out of the template goes",
    theirs: { instructions: "You write.\n\nNever invent facts." },
    merged: { instructions: "You write.\n\nNever invent facts." },
    changed: ["instructions"],
  },
  {
    name: "line ends of another system are no edit",
    theirs: { instructions: THEIRS.instructions },
    ours: { instructions: BASE.instructions.replaceAll("\n", "\r\n") },
    merged: { instructions: THEIRS.instructions },
    changed: ["instructions"],
  },
  {
    name: "name and face are the agent's own",
    theirs: { name: "Author", avatar: { kind: "generated", seed: "t" } },
    ours: { name: "Lena", avatar: { kind: "generated", seed: "x" } },
    merged: { name: "Lena", avatar: { kind: "generated", seed: "x" } },
    changed: [],
  },
  {
    name: "new variables come, own values stay, those that nobody needs any more go",
    base: { ...BASE, variables: { voice: "plain", old: "1" } },
    theirs: { variables: { voice: "warm", length: "short" } },
    ours: { variables: { voice: "loud", old: "1", mine: "x" } },
    merged: { variables: { voice: "loud", mine: "x", length: "short" } },
    changed: ["variables.length", "variables.old"],
    conflicts: [{ field: "variables.voice", yours: "loud", template: "warm" }],
  },
  {
    name: "limits one by one",
    theirs: { limits: { maxAnswerTokens: 500 } },
    ours: { limits: { tokensPerDay: 1000 } },
    merged: { limits: { tokensPerDay: 1000, maxAnswerTokens: 500 } },
    changed: ["limits.maxAnswerTokens"],
  },
  {
    name: "without a base everything that differs is the agent's own",
    base: null,
    theirs: { description: "Edits.", instructions: THEIRS.instructions },
    ours: { model: "big", variables: { voice: "plain", mine: "x" } },
    merged: { model: "big", variables: { voice: "plain", mine: "x" } },
    changed: [],
    conflicts: [
      { field: "description", yours: "Writes.", template: "Edits." },
      { field: "instructions", yours: BASE.instructions, template: THEIRS.instructions },
      { field: "model", yours: "big", template: null },
    ],
  },
];

test.each(CASES)("$name", ({ base, theirs, ours, merged, changed, conflicts = [] }) => {
  const from = { ...(base ?? BASE), ...ours };
  const result = mergeTemplate(base === undefined ? BASE : base, { ...BASE, ...theirs }, from);
  expect(result.definition).toEqual({ ...from, ...merged });
  expect(result.changes.map(({ field }) => field).sort()).toEqual(changed);
  expect(result.conflicts).toEqual(conflicts);
});

test("what was taken once is not offered again, own edits or not", () => {
  const ours = { ...BASE, instructions: `${BASE.instructions}\n\nSign as Maya.` };
  const once = mergeTemplate(BASE, THEIRS, ours);
  expect(mergeTemplate(THEIRS, THEIRS, once.definition)).toEqual({
    definition: once.definition,
    changes: [],
    conflicts: [],
  });
});

const WHICH = { tenantId: TENANT, agentId: "a1" };
const ALL = { after: { name: "", id: "" }, limit: 100 };
const NOW = getTemplate("writer").definition;
/** The template as it was before its last line came. */
const OLD = { ...NOW, instructions: NOW.instructions.split("\n").slice(0, -1).join("\n") };

async function made(given: Partial<typeof agents.$inferInsert> = {}): Promise<{ ctx: Context; agent: AgentRow }> {
  const ctx = await testContext();
  await createTenant(ctx, { id: TENANT, serverName: SERVER, driver: "external", url: "http://127.0.0.1:1" });
  const row = {
    id: "a1",
    tenantId: TENANT,
    name: "Lena",
    userId: `@agent-lena:${SERVER}`,
    state: "active" as const,
    definition: { ...OLD, name: "Lena" },
    templateId: "writer",
    templateDefinition: OLD,
    deviceId: "AGENTOPIA",
    ...given,
  };
  const [agent] = await ctx.db.insert(agents).values(row).returning();
  await ctx.db.insert(agentVersions).values({ agentId: "a1", version: 1, definition: row.definition });
  return { ctx, agent: agent! };
}
const read = async (ctx: Context) => (await ctx.db.select().from(agents).where(eq(agents.id, "a1")))[0]!;

test("an agent takes what is new into its draft; nothing is published, and it is not offered again", async () => {
  const { ctx } = await made();
  expect(await agentsToUpdate(ctx, TENANT, ALL)).toMatchObject([{ agent: { id: "a1" } }]);
  const update = await takeTemplateUpdate(ctx, { ...WHICH, revision: 0, by: "@maya:acme.test" });
  expect(update.changes).toMatchObject([{ field: "instructions" }]);
  const after = await read(ctx);
  expect(after).toMatchObject({
    version: 1,
    definition: { instructions: OLD.instructions },
    draft: { ...NOW, name: "Lena" },
    draftRevision: 1,
    draftBy: "@maya:acme.test",
    templateDefinition: OLD,
    draftTemplate: NOW,
  });
  expect(await templateUpdate(ctx, after)).toBeNull();
  expect(await agentsToUpdate(ctx, TENANT, ALL)).toEqual([]);
});

test("what was taken is kept when the draft is published, and offered again when it is discarded", async () => {
  const { ctx } = await made();
  await takeTemplateUpdate(ctx, { ...WHICH, revision: 0, by: "m" });
  const discarded = await discardDraft(ctx, { ...WHICH, revision: 1 });
  expect(discarded).toMatchObject({ draft: null, draftTemplate: null, templateDefinition: OLD });
  expect(await templateUpdate(ctx, discarded)).toMatchObject({ changes: [{ field: "instructions" }] });
  expect(await agentsToUpdate(ctx, TENANT, ALL)).toMatchObject([{ agent: { id: "a1" } }]);

  await takeTemplateUpdate(ctx, { ...WHICH, revision: 2, by: "m" });
  const published = await publish(ctx, { ...WHICH, revision: 3, by: "m" });
  expect(published).toMatchObject({ draft: null, draftTemplate: null, templateDefinition: NOW });
  expect(await templateUpdate(ctx, published)).toBeNull();
  expect(await agentsToUpdate(ctx, TENANT, ALL)).toEqual([]);
});

test("one that was never published takes it for good: its draft is all it has", async () => {
  const { ctx } = await made({ state: "draft", draft: { ...OLD, name: "Lena" }, draftRevision: 1 });
  await takeTemplateUpdate(ctx, { ...WHICH, revision: 1, by: "m" });
  expect(await read(ctx)).toMatchObject({ definition: { ...NOW, name: "Lena" }, templateDefinition: NOW });
  expect(await agentsToUpdate(ctx, TENANT, ALL)).toEqual([]);
});

test("looking takes nothing; a draft's own edits are kept when it is taken", async () => {
  const draft = { ...OLD, name: "Lena", instructions: `Sign as Lena.\n\n${OLD.instructions}` };
  const { ctx, agent } = await made({ draft, draftRevision: 3 });
  expect(await templateUpdate(ctx, agent)).toMatchObject({ revision: 3, from: draft });
  expect(await read(ctx)).toEqual(agent);
  await takeTemplateUpdate(ctx, { ...WHICH, revision: 3, by: "m" });
  expect((await read(ctx)).draft?.instructions).toBe(`Sign as Lena.\n\n${NOW.instructions}`);
});

test("of two who take it at once one is told, and so is one who looked at an older draft", async () => {
  const { ctx } = await made();
  const both = await Promise.allSettled([1, 2].map(() => takeTemplateUpdate(ctx, { ...WHICH, revision: 0, by: "m" })));
  expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect((await read(ctx)).draftRevision).toBe(1);
  await expect(takeTemplateUpdate(ctx, { ...WHICH, revision: 0, by: "m" })).rejects.toThrow("Lena was saved by m");
});

test("an agent from before templates were kept: its first version is the base, what people chose stays", async () => {
  const { ctx, agent } = await made({
    templateDefinition: null,
    definition: { ...OLD, variables: {}, name: "Lena", model: "big", scope: "observer" },
  });
  const update = await templateUpdate(ctx, agent);
  expect(update?.definition).toEqual({ ...NOW, name: "Lena", model: "big", scope: "observer" });
  expect(update?.conflicts).toEqual([]);
});

test("an agent of no template, of one that is gone, or up to date has nothing to take", async () => {
  const { ctx, agent } = await made({ templateDefinition: NOW, definition: { ...NOW, name: "Lena" } });
  for (const one of [agent, { ...agent, templateId: null }, { ...agent, templateId: "poet", templateDefinition: OLD }])
    expect(await templateUpdate(ctx, one)).toBeNull();
  await expect(takeTemplateUpdate(ctx, { ...WHICH, revision: 0, by: "m" })).rejects.toThrow("nothing to take");
});

import { parse } from "csv-parse/sync";
import { expect, test } from "vitest";
import { acceptInvite } from "../../admin/accept-invite.ts";
import { csvCell, csvOf } from "../../admin/csv.ts";
import { listInvites } from "../../admin/invites.ts";
import { type Known, planPeople, readPeopleCsv } from "../../admin/people-csv.ts";
import { type ImportWish, importPeople, previewImport } from "../../admin/people-import.ts";
import { roleOf } from "../../admin/roles.ts";
import { testContext } from "../harness/postgres.ts";
import { TENANT, tenantWithTeam, userId } from "./homeserver.ts";

const ENV = { AGENTOPIA_URL: "https://chat.example.org" };

test.each([
  ["commas", "username,name\nann,Ann\n"],
  ["semicolons, quotes, Windows", '\ufeff"User name";"Display name"\r\n"ann";"Ann"\r\n'],
  ["tabs, capitals, other columns", "E-MAIL\tUSERNAME\tName\nx@y\tann\tAnn"],
  ["empty rows and spaces", "\n username , name \n\n ann , Ann \n,\n"],
])("a file with %s", (_, csv) => {
  expect(readPeopleCsv(csv)).toEqual([
    expect.objectContaining({ username: "ann", name: "Ann", role: null, team: null }),
  ]);
});

test("a name with commas, quotes and line breaks is one name", () => {
  expect(readPeopleCsv('username,name\nann,"Ann ""the"" Smith, Dr\nLine"')[0]?.name).toBe('Ann "the" Smith, Dr\nLine');
});

test.each([
  ["", /empty/],
  ["\n\n", /empty/],
  ["username,name", /nobody/],
  ["name,role\nAnn,member", /"username"/],
  ['username\n"ann', /no CSV.*quotation/],
  [`username\n${"ann\n".repeat(2001)}`, /2001 people.*2000/],
  [`username\n${"a".repeat(1_000_001)}`, /1 MB/],
  ["\0\0\0\n\0", /username/],
])("no people in %j", (csv, problem) => {
  expect(() => readPeopleCsv(csv)).toThrow(problem);
});

const KNOWN: Known = {
  serverName: "acme.test",
  people: new Set(["known"]),
  invited: new Set(["waiting"]),
  agents: new Set(["writer"]),
  teams: new Map([["sales", "team"]]),
  defaults: { role: "member", teamId: "team" },
  renew: false,
  givingProblem: (role) => (role === "owner" ? "A manager cannot make an owner." : null),
};

test.each([
  ["ann,,,", "invite", /Gets an invite link/],
  ["Ann,Ann Smith,Manager,SALES", "invite", /Gets/],
  ["@ann:acme.test,,,", "invite", /Gets/],
  ["known,,,", "exists", /account already/],
  ["waiting,,,", "exists", /open invite link/],
  [",Ann,,", "problem", /no user name/],
  ["ann lee,,,", "problem", /letters a to z/],
  ["agent-x,,,", "problem", /kept for agents/],
  ["writer,,,", "problem", /agent here/],
  ["ann,,boss,", "problem", /no such role/],
  ["ann,,owner,", "problem", /cannot make an owner/],
  ["ann,,,Nobody", "problem", /no such team/],
  [`ann,${"x".repeat(201)},,`, "problem", /too long/],
  ["ann,A\0nn,,", "problem", /cannot be stored/],
  ["@ann:else.where,,,", "problem", /letters a to z/],
  ["💥,<b>x</b>,,", "problem", /letters a to z/],
])("row %j: %s", (row, outcome, sentence) => {
  const [planned] = planPeople(readPeopleCsv(`username,name,role,team\n${row}`), KNOWN);
  expect(planned).toMatchObject({ outcome, sentence: expect.stringMatching(sentence) });
});

test("a name that stands there twice is a problem the second time", () => {
  const plan = planPeople(readPeopleCsv("username\nann\nbob\nAnn"), KNOWN);
  expect(plan.map(({ outcome }) => outcome)).toEqual(["invite", "invite", "problem"]);
  expect(plan[2]?.sentence).toContain("line 2");
});

test("cells that a spreadsheet would take for a formula are made harmless", () => {
  expect(["=1+1", "  =1+1", "+49", "-x", "@ann", "\tx", "plain", 'a"b', "a;b", -3].map(csvCell)).toEqual([
    "'=1+1",
    "'  =1+1",
    "'+49",
    "'-x",
    "'@ann",
    "'\tx",
    "plain",
    '"a""b"',
    '"a;b"',
    "-3",
  ]);
  expect(csvOf([["a"], [null]])).toBe("\ufeffa\r\n\r\n");
});

async function setUp() {
  const ctx = await testContext({ env: ENV });
  const server = await tenantWithTeam(ctx);
  const wish = (csv: string, more: Partial<ImportWish> = {}): ImportWish => ({
    tenantId: TENANT,
    csv,
    ttlDays: 14,
    renew: false,
    createdBy: "boss",
    givingProblem: () => null,
    ...more,
  });
  return { ctx, server, wish };
}

test("a preview changes nothing; the import makes a link for each, which makes the account with name, role and team", async () => {
  const { ctx, server, wish } = await setUp();
  server.add("known");
  const csv = "username,name,role,team\nann,Ann Smith,manager,sales\nknown,,,\nb b,,,\n";
  expect((await previewImport(ctx, wish(csv))).map(({ outcome }) => outcome)).toEqual(["invite", "exists", "problem"]);
  expect(await listInvites(ctx, TENANT)).toEqual([]);
  const made = await importPeople(ctx, wish(csv));
  expect(made.rows.map(({ url }) => url !== null)).toEqual([true, false, false]);
  expect(parse(made.csv, { bom: true, columns: true })[0]).toMatchObject({
    username: "ann",
    role: "manager",
    link: made.rows[0]?.url,
  });
  const token = made.rows[0]!.url!.split("/join/")[1]!;
  await expect(acceptInvite(ctx, { token, username: "bob", password: "correct-Horse-7" })).rejects.toThrow(
    '"ann" only',
  );
  await expect(acceptInvite(ctx, { token, username: "ann", password: "ann smith 1" })).rejects.toThrow("easy to guess");
  await acceptInvite(ctx, { token, username: "ann", password: "correct-Horse-7" });
  expect(server.people.get("ann")?.displayname).toBe("Ann Smith");
  expect(await roleOf(ctx, TENANT, userId("ann"))).toBe("manager");
  const [row] = await ctx.sql`select display_name, state from people where user_id = ${userId("ann")}`;
  expect(row).toEqual({ display_name: "Ann Smith", state: "active" });
  expect(server.joined.get(userId("ann"))).toHaveLength(3);
});

test("two imports at once make one link for each; renewing withdraws the one before", async () => {
  const { ctx, wish } = await setUp();
  const csv = "username\nann\nbob\n";
  const both = await Promise.all([importPeople(ctx, wish(csv)), importPeople(ctx, wish(csv))]);
  expect(both.flatMap(({ rows }) => rows.filter(({ url }) => url)).length).toBe(2);
  const again = await importPeople(ctx, wish(csv, { renew: true }));
  expect(again.rows.every(({ url }) => url !== null)).toBe(true);
  const states = (await listInvites(ctx, TENANT)).map(({ state }) => state).toSorted();
  expect(states).toEqual(["open", "open", "revoked", "revoked"]);
});

test("two thousand at once", async () => {
  const { ctx, wish } = await setUp();
  const csv = `username,name\n${Array.from({ length: 2000 }, (_, n) => `p${n},=Person ${n}`).join("\n")}`;
  const made = await importPeople(ctx, wish(csv));
  expect(made.rows.filter(({ url }) => url).length).toBe(2000);
  expect(made.csv).toContain("'=Person 1999");
  expect((await ctx.sql`select 1 from invites`).length).toBe(2000);
});

test("all or none: what fails in between leaves no link", async () => {
  const { ctx, wish } = await setUp();
  await ctx.sql`alter table invites add constraint no_bob check (username <> 'bob')`;
  await expect(importPeople(ctx, wish("username\nann\nbob\n"))).rejects.toThrow();
  expect(await listInvites(ctx, TENANT)).toEqual([]);
});

test("a role that was given since is not overwritten when the same link is opened again", async () => {
  const { ctx, wish } = await setUp();
  const { rows } = await importPeople(ctx, wish("username,role\nann,manager"));
  const post = { token: rows[0]!.url!.split("/join/")[1]!, username: "ann", password: "correct-Horse-7" };
  await acceptInvite(ctx, post);
  await ctx.sql`update tenant_roles set role = 'auditor'`;
  await acceptInvite(ctx, post);
  expect(await roleOf(ctx, TENANT, userId("ann"))).toBe("auditor");
});

test("nobody gets a user name that people would take for an agent", async () => {
  const { ctx, wish } = await setUp();
  await ctx.sql`insert into agents (id, tenant_id, name, user_id, definition, device_id)
    values ('a', ${TENANT}, 'Sales Coach', '@agent-sales-coach:acme.test', '{}', 'D')`;
  const { rows } = await importPeople(ctx, wish("username\nsales.coach\nann"));
  expect(rows.map(({ outcome }) => outcome)).toEqual(["problem", "invite"]);
  const { createInvite } = await import("../../admin/invites.ts");
  const token = (await createInvite(ctx, { tenantId: TENANT })).url.split("/join/")[1]!;
  for (const username of ["sales_coach", "Sales-Coach"])
    await expect(acceptInvite(ctx, { token, username, password: "correct-Horse-7" })).rejects.toMatchObject({
      problems: { username: expect.stringContaining("agent here") },
    });
});

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { runCli } from "../../admin/cli/main.ts";
import { followLink } from "../../admin/sign-in/follow-link.ts";
import { createOperator, newHash, setOperatorState } from "../../admin/sign-in/operators.ts";
import { signIn } from "../../admin/sign-in/sign-in.ts";
import { testContext } from "../harness/postgres.ts";

const PASSWORD = "correct-horse-battery";

beforeEach(() => {
  const before = { ...process.env };
  onTestFinished(() => {
    process.env = before;
  });
  for (const name of ["DATABASE_URL", "AGENTOPIA_SECRET_KEY", "AGENTOPIA_PORT"]) delete process.env[name];
  process.env.AGENTOPIA_HOME = path.join(mkdtempSync(path.join(tmpdir(), "agentopia-cli-")), "home");
});

async function cli(...argv: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(argv, {
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    ask: async () => "",
  });
  return { code, out: out.join("\n"), err: err.join("\n"), json: () => JSON.parse(out.join("\n")) };
}

/** A platform's database as the command line finds one. */
async function platform() {
  const ctx = await testContext();
  process.env.AGENTOPIA_HOME = ctx.config.home;
  process.env.DATABASE_URL = ctx.databaseUrl;
  return ctx;
}

const tokenOf = (url: string) => url.split("/").at(-1) ?? "";

test("without a name the link is for the only operator, who is made where there is none", async () => {
  const ctx = await platform();
  expect((await cli("operator", "list")).out).toContain("no operator yet");
  const { out, code } = await cli("operator", "link");
  const [url = "", sentence] = out.split("\n");
  expect([code, url]).toEqual([0, expect.stringMatching(/\/panel\/link\/[\w-]{43}$/)]);
  expect(sentence).toMatch(/^It lets admin set a password and sign in, once, until /);
  await followLink(ctx, tokenOf(url), { password: PASSWORD, address: "192.0.2.1" });
  expect((await cli("operator", "list", "--json")).json()).toMatchObject([
    { name: "admin", hasPassword: true, state: "active" },
  ]);
  expect((await cli("operator", "list")).out).toMatch(/admin +active +set +off/);
});

test("a new link ends the one before, and stands in the audit log without its token", async () => {
  const ctx = await platform();
  const first = (await cli("operator", "link", "--json", "--expires", "30m")).json();
  const second = (await cli("operator", "link", "ADMIN", "--json")).json();
  await expect(followLink(ctx, tokenOf(first.url), { password: PASSWORD, address: "192.0.2.1" })).rejects.toThrow(
    "withdrawn",
  );
  await followLink(ctx, tokenOf(second.url), { password: PASSWORD, address: "192.0.2.1" });
  const lines = await ctx.sql`select * from audit order by seq`;
  expect(lines.map(({ action, actor_kind }) => [action, actor_kind])).toEqual([
    ["operators.create", "command_line"],
    ["operators.link", "command_line"],
    ["operators.link", "command_line"],
    ["session.set_password", "link"],
  ]);
  for (const { url } of [first, second]) expect(JSON.stringify(lines)).not.toContain(tokenOf(url));
});

test("who was locked out gets in again", async () => {
  const ctx = await platform();
  for (const name of ["anna", "boris"]) {
    const { id } = await createOperator(ctx, { name });
    await ctx.sql`update operators set password_hash = ${await newHash(PASSWORD, name)} where id = ${id}`;
    if (name === "boris") await setOperatorState(ctx, id, "disabled");
  }
  const { out } = await cli("operator", "link", "boris");
  expect(out).toContain("it is enabled again");
  await followLink(ctx, tokenOf(out.split("\n")[0] ?? ""), { password: "another-good-phrase", address: "192.0.2.1" });
  expect(await signIn(ctx, { name: "boris", password: "another-good-phrase" })).toMatchObject({ name: "boris" });
});

test.each([
  [["operator", "link", "nobody"], 'There is no operator "nobody"'],
  [["operator", "link"], "several operators"],
  [["operator", "link", "anna", "--expires", "soon"], "a number with a unit"],
])("%j is refused with a sentence", async (argv, words) => {
  const ctx = await platform();
  for (const name of ["anna", "boris"]) await createOperator(ctx, { name });
  const { code, out, err } = await cli(...argv);
  expect([code, out, err]).toEqual([1, "", expect.stringContaining(words)]);
});

test("without a platform it says so", async () => {
  for (const verb of ["list", "link"]) expect((await cli("operator", verb)).err).toContain("is not running");
});

import { existsSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { duration } from "../../admin/cli/arguments.ts";
import type { Io } from "../../admin/cli/io.ts";
import { runCli } from "../../admin/cli/main.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import { makeTenant, ROOM } from "../bots/tenant.ts";
import { testContext } from "../harness/postgres.ts";

beforeEach(() => {
  const before = { ...process.env };
  onTestFinished(() => {
    process.env = before;
  });
  for (const name of ["DATABASE_URL", "AGENTOPIA_SECRET_KEY", "AGENTOPIA_PORT"]) delete process.env[name];
  process.env.AGENTOPIA_LOCAL_MODEL_PORTS = "none";
  process.env.AGENTOPIA_HOME = path.join(mkdtempSync(path.join(tmpdir(), "agentopia-cli-")), "home");
});

/** Runs a command as main.ts does and gathers what it wrote. */
async function cli(...argv: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = { out: (line) => void out.push(line), err: (line) => void err.push(line), ask: async () => "nobody" };
  const code = await runCli(argv, io);
  const text = { out: out.join("\n"), err: err.join("\n") };
  expect(text.out + text.err).not.toMatch(/undefined|\[object|^\s+at /m);
  return { code, ...text, json: () => JSON.parse(text.out) as unknown };
}

/** A platform's database with the tenant acme, as the command line finds one, without the platform's process. */
async function stopped() {
  const ctx = await testContext();
  process.env.AGENTOPIA_HOME = ctx.config.home;
  process.env.DATABASE_URL = ctx.databaseUrl;
  await makeTenant(ctx);
  return ctx;
}

const COMMANDS = {
  status: [],
  tenant: ["create", "list", "start", "stop", "restart", "set", "remove"],
  team: ["create", "list"],
  invite: ["create", "list", "revoke"],
  agent: ["create", "list", "pause", "resume", "remove"],
  model: ["add", "list", "test", "remove"],
  run: ["list", "show", "stop"],
  operator: ["list", "link"],
  backup: [],
  restore: [],
};

describe("help", () => {
  test.each(Object.entries(COMMANDS).flatMap(([name, verbs]) => [[name], ...verbs.map((verb) => [name, verb])]))(
    "%s %s --help says how it is used, with an example, and --json where it prints facts",
    async (...words) => {
      const command = words.filter((word) => word !== undefined);
      const { code, out } = await cli(...command, "--help");
      expect(code).toBe(0);
      expect(out).toContain(`Usage: agentopia ${command.join(" ")}`);
      expect(out).toContain(`npm run -s agentopia -- ${command[0]}`);
      if (command.length === 2 || COMMANDS[command[0] as "status"].length === 0) expect(out).toContain("--json");
    },
  );

  test("alone, it says what there is", async () => {
    const { code, out } = await cli();
    expect(code).toBe(0);
    for (const name of Object.keys(COMMANDS)) expect(out).toContain(`  ${name}`);
  });

  test("it knows no command that is not in this table", async () => {
    const { out } = await cli();
    const listed = [...out.matchAll(/^ {2}([a-z]+) .*$/gm)].map(([, name]) => name);
    expect(listed.filter((name) => name !== "help" && name !== "npm").toSorted()).toEqual(
      Object.keys(COMMANDS).toSorted(),
    );
  });
});

describe("without a platform", () => {
  const commands = [
    "status",
    "tenant list",
    "tenant create acme",
    "tenant remove acme",
    "invite create acme",
    "invite list acme",
    "invite revoke x",
    "agent list acme",
    "agent create acme --name X --instructions y",
    "model list",
    "model add x --url http://127.0.0.1:9/v1",
    "run list acme",
    "run show abcdef",
    "backup /tmp/agentopia-never.tar.gz",
  ];
  test.each(commands)("%s says that it does not run, makes nothing, and exits 1", async (command) => {
    const { code, err, out } = await cli(...command.split(" "));
    expect(code).toBe(1);
    expect(out).toBe("");
    expect(err).toBe(`Agentopia is not running in ${process.env.AGENTOPIA_HOME}. Start it with \`npm start\`.`);
    expect(existsSync(process.env.AGENTOPIA_HOME ?? "")).toBe(false);
    expect(existsSync("/tmp/agentopia-never.tar.gz")).toBe(false);
  });

  test("status --json is JSON all the same, and exits 1", async () => {
    const { code, json } = await cli("status", "--json");
    expect(code).toBe(1);
    expect(json()).toEqual({ url: null, state: "stopped", tenants: [] });
  });

  test("a database that is not there is named without its password", async () => {
    process.env.AGENTOPIA_SECRET_KEY = "ab".repeat(32);
    process.env.DATABASE_URL = "postgres://me:geheim@127.0.0.1:9/agentopia";
    const { code, err } = await cli("tenant", "list");
    expect(code).toBe(1);
    expect(err).toContain("127.0.0.1:9");
    expect(err).not.toContain("geheim");
  });
});

describe("over the rows, with the platform's process stopped", () => {
  test("status --json names the tenants and that they are stopped; exit code 1", async () => {
    const ctx = await stopped();
    await ctx.sql`update tenants set state = 'running'`;
    const { code, json } = await cli("status", "--json");
    expect(code).toBe(1);
    expect(json()).toMatchObject({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      state: "stopped",
      tenants: [{ name: "acme", serverName: "acme.test", homeserverUrl: "http://127.0.0.1:9", state: "stopped" }],
    });
  });

  test("what changes a homeserver is refused: nobody would do it", async () => {
    await stopped();
    for (const command of ["tenant create other", "tenant stop acme", "tenant remove acme --confirm acme"])
      expect(await cli(...command.split(" "))).toMatchObject({ code: 1, err: expect.stringContaining("not running") });
    expect((await cli("tenant", "list", "--json")).json()).toHaveLength(1);
  });

  test("invites are made, listed and revoked", async () => {
    await stopped();
    process.env.AGENTOPIA_URL = "https://chat.example.org/";
    const made = await cli(
      "invite",
      "create",
      "acme",
      "--uses",
      "3",
      "--expires",
      "2h",
      "--username",
      "Alice",
      "--json",
    );
    expect(made.code).toBe(0);
    const { url, expiresAt, id } = made.json() as { url: string; expiresAt: string; id: string };
    expect(url).toMatch(/^https:\/\/chat\.example\.org\/join\/[\w-]{43}$/);
    expect(Math.abs(Date.parse(expiresAt) - Date.now() - 2 * 3_600_000)).toBeLessThan(60_000);
    expect((await cli("invite", "list", "acme", "--json")).json()).toMatchObject([
      { id, state: "open", maxUses: 1, uses: 0, username: "alice" },
    ]);
    expect((await cli("invite", "revoke", id)).code).toBe(0);
    expect((await cli("invite", "list", "acme")).out).toMatch(/revoked/);
    expect((await cli("invite", "create", "acme")).out.split("\n")[0]).toMatch(/^https:/);
  });

  test("agents are listed as other programs rely on", async () => {
    await stopped();
    expect((await cli("agent", "list", "acme", "--json")).json()).toEqual([
      { name: "Planner", userId: "@agent-planner:acme.test", state: "active", model: null, description: "Writes." },
      { name: "Writer", userId: "@agent-writer:acme.test", state: "active", model: null, description: "Writes." },
    ]);
    expect(await cli("agent", "pause", "acme", "writer")).toMatchObject({ code: 0, out: "Writer is paused now." });
    expect((await cli("agent", "list", "acme", "--json")).json()).toContainEqual(
      expect.objectContaining({ name: "Writer", state: "paused" }),
    );
  });

  test("models: the operator's may be local, a client's may not; keys are never shown", async () => {
    await stopped();
    const local = ["--url", "http://127.0.0.1:9/v1", "--model", "tiny", "--key", "sk-very-secret"];
    expect((await cli("model", "add", "local", ...local)).code).toBe(0);
    expect(await cli("model", "add", "mine", ...local, "--client", "acme")).toMatchObject({
      code: 1,
      err: expect.stringContaining("127.0.0.1"),
    });
    const listed = await cli("model", "list", "--json");
    expect(listed.json()).toMatchObject([
      { name: "local", client: null, isDefault: true, hasKey: true, model: "tiny" },
    ]);
    expect(listed.out).not.toContain("sk-very-secret");
    expect((await cli("agent", "list", "acme", "--json")).json()).toContainEqual(
      expect.objectContaining({ model: "local" }),
    );
    expect((await cli("model", "remove", "local")).code).toBe(0);
    expect((await cli("model", "list", "--json")).json()).toEqual([]);
  });

  test("runs are listed newest first with their steps, shown whole, and stopped", async () => {
    const ctx = await stopped();
    for (const [id, at, state] of [
      ["aaaaaa1", "2026-01-01", "done"],
      ["bbbbbb2", "2026-01-02", "running"],
    ]) {
      await ctx.sql`insert into answers (id, tenant_id, room_id, agent_id, question_event, current_run_id)
        values (${id!}, 'acme', ${ROOM}, 'writer', '$question', ${id!})`;
      await ctx.sql`insert into runs (id, tenant_id, agent_id, agent_version, answer_id, room_id, question_event, trigger_event, asked_by, state, created_at, timings)
        values (${id!}, 'acme', 'writer', 1, ${id!}, ${ROOM}, '$question', '$question', '@alice:acme.test', ${state!}, ${at!}::timestamptz, '{"finishedMs": 12.4}')`;
      await ctx.sql`insert into steps (run_id, position, kind, state, output) values (${id!}, 0, 'model', 'done', 'The text.')`;
    }
    const list = (await cli("run", "list", "acme", "--json")).json() as { id: string }[];
    expect(list.map(({ id }) => id)).toEqual(["bbbbbb2", "aaaaaa1"]);
    expect(list[1]).toMatchObject({
      state: "done",
      agent: "Writer",
      room: ROOM,
      question: "$question",
      timings: { finishedMs: 12.4 },
      steps: [{ kind: "model", state: "done" }],
    });
    expect((await cli("run", "list", "acme", "--state", "done", "--json")).json()).toHaveLength(1);
    expect((await cli("run", "show", "aaaaaa")).out).toContain("The text.");
    expect((await cli("run", "stop", "aaaaaa1")).err).toContain("over already");
    expect((await cli("run", "stop", "bbbbbb2")).code).toBe(0);
    const [row] = await ctx.sql`select stop_reason from runs where id = 'bbbbbb2'`;
    expect(row).toMatchObject({ stop_reason: "operator" });
  });

  test("what is unknown gets a sentence and exit code 1", async () => {
    await stopped();
    const commands = [
      "invite create nobody",
      "invite list nobody",
      "invite revoke nothing",
      "invite create acme --team Nobody",
      "invite create acme --uses 0",
      "invite create acme --expires soon",
      "agent list nobody",
      "agent pause acme nobody",
      "agent create acme",
      "agent create acme --name X",
      "agent create acme --name X --instructions y --scope king",
      "agent create acme --template nothing",
      "agent create acme --name X --instructions y --team Nobody",
      "agent create acme --name X --instructions-file /nowhere",
      "model test nothing",
      "model list --client nobody",
      "model add x --provider acme",
      "run list nobody",
      "run list acme --state odd",
      "run show nothing-here",
      "run show '%'",
      "tenant create --driver other x",
      "nonsense",
      "invite nonsense",
      "status --nonsense",
      "restore",
    ];
    for (const command of commands) {
      const { code, out, err } = await cli(...command.split(" "));
      expect([command, code, out]).toEqual([command, 1, ""]);
      expect(err).toMatch(/[.?:]$/);
    }
  });

  test("a secret key that does not belong to the data is said", async () => {
    const ctx = await stopped();
    await createTenant(ctx, { id: "other", serverName: "other.test", driver: "external", url: "http://127.0.0.1:9" });
    writeFileSync(path.join(ctx.config.home, "secret.key"), Buffer.alloc(32, 7).toString("base64"));
    const { code, err } = await cli("agent", "create", "other", "--name", "X", "--instructions", "y");
    expect(code).toBe(1);
    expect(err).toContain("secret key");
  });
});

describe("restore", () => {
  test.each([
    ["no file", "/nowhere.tar.gz", "There is no file"],
    ["what is no backup", "package.json", "damaged or is no backup"],
  ])("refuses %s and leaves nothing", async (_name, file, words) => {
    const { code, err } = await cli("restore", file);
    expect(code).toBe(1);
    expect(err).toContain(words);
    expect(readdirSync(path.dirname(process.env.AGENTOPIA_HOME ?? ""))).toEqual([]);
  });

  test("refuses a folder that is not empty", async () => {
    const ctx = await testContext();
    process.env.AGENTOPIA_HOME = ctx.config.home;
    expect(await cli("restore", "package.json")).toMatchObject({
      code: 1,
      err: expect.stringContaining("is not empty"),
    });
  });
});

test.each([
  ["90s", 90_000],
  ["30m", 1_800_000],
  ["12h", 43_200_000],
  ["7d", 604_800_000],
  ["2w", 1_209_600_000],
])("%s is %i ms", (text, ms) => {
  expect(duration(text)).toBe(ms);
});

test.each(["", "7", "d", "-1d", "1y", "0d", "1.5h", "99999999d"])("%j is no time", (text) => {
  expect(() => duration(text)).toThrow("a number with a unit");
});

describe("tenant set", () => {
  test("changes only what it is told, and shows what holds", async () => {
    await stopped();
    expect((await cli("tenant", "set", "acme", "--tokens-per-day", "1000", "--json")).json()).toEqual({
      name: "acme",
      tokensPerDay: 1000,
      maxHops: 4,
      retentionDays: 90,
    });
    const { out } = await cli("tenant", "set", "acme", "--retention-days", "7", "--max-hops", "2");
    expect(out).toBe("acme may use 1000 tokens a day; chains of agents end after 2; texts are kept for 7 days.");
  });

  test.each([
    ["--tokens-per-day", "many"],
    ["--tokens-per-day", "-1"],
    ["--max-hops", "1.5"],
    ["--retention-days", "0"],
    ["--retention-days", "99999999999"],
  ])("%s %s is refused with a sentence", async (option, value) => {
    await stopped();
    const { code, err } = await cli("tenant", "set", "acme", option, value);
    expect(code).toBe(1);
    expect(err).toContain("It must be a whole number from 1 on.");
  });

  test("an unknown client is a sentence", async () => {
    await stopped();
    const { code, err } = await cli("tenant", "set", "nobody", "--max-hops", "1");
    expect(code).toBe(1);
    expect(err).toMatch(/nobody/);
  });
});

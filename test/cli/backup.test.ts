import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import postgres from "postgres";
import * as tar from "tar";
import { expect, inject, onTestFinished, test } from "vitest";
import type { Manifest } from "../../admin/archive.ts";
import { backup } from "../../admin/backup.ts";
import { restore } from "../../admin/restore.ts";
import { type Config, loadConfig } from "../../core/config.ts";
import type { Context } from "../../core/context.ts";
import { tenantAccess } from "../../homeserver/tenants.ts";
import { makeTenant } from "../bots/tenant.ts";
import { testContext } from "../harness/postgres.ts";

const quiet = { say: () => undefined };

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), "agentopia-backup-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const configOf = (env: Record<string, string>): Config => loadConfig({ AGENTOPIA_LOCAL_MODEL_PORTS: "none", ...env });

/** A platform on a database that others run, with one tenant whose homeserver others run too. */
async function filled(): Promise<{ ctx: Context; config: Config; file: string }> {
  const ctx = await testContext();
  await makeTenant(ctx);
  const config = { ...ctx.config, databaseUrl: ctx.databaseUrl };
  const file = path.join(folder(), "backup.tar.gz");
  await backup(config, file, quiet);
  return { ctx, config, file };
}

let count = 0;

/** An empty database on the run's server. */
async function emptyDatabase(): Promise<{ url: string; sql: postgres.Sql }> {
  const name = `restore_${process.pid}_${++count}`;
  const server = postgres(inject("postgresUrl"), { max: 1 });
  await server.unsafe(`create database ${name}`);
  const url = new URL(inject("postgresUrl"));
  url.pathname = `/${name}`;
  const sql = postgres(url.href, { max: 1, onnotice: () => undefined });
  onTestFinished(async () => {
    await sql.end();
    await server.unsafe(`drop database ${name} with (force)`);
    await server.end();
  });
  return { url: url.href, sql };
}

const tables = async (sql: postgres.Sql) =>
  (await sql`select from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema')`)
    .length;

test("with DATABASE_URL: into an empty database and folder, with the key that opens what is in it", async () => {
  const { ctx, file } = await filled();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(path.dirname(file))).toEqual(["backup.tar.gz"]);
  const home = path.join(folder(), "home");
  const { url, sql } = await emptyDatabase();
  const made = await restore(configOf({ AGENTOPIA_HOME: home, DATABASE_URL: url }), file, quiet);
  expect(made.tenants).toEqual(["acme"]);
  expect(readFileSync(path.join(home, "secret.key"))).toEqual(readFileSync(path.join(ctx.config.home, "secret.key")));
  expect(statSync(path.join(home, "secret.key")).mode & 0o777).toBe(0o600);
  const [before] = await ctx.sql`select secrets from tenants`;
  expect(await sql`select id, secrets from tenants`).toEqual([{ id: "acme", secrets: before?.secrets }]);
  expect((await tenantAccess(ctx, "acme")).asToken).toBeTruthy();
});

test("a key from the environment goes into the backup, and not onto the disk of whoever has it there", async () => {
  const key = "ab".repeat(32);
  const ctx = await testContext({ env: { AGENTOPIA_SECRET_KEY: key } });
  await makeTenant(ctx);
  const file = path.join(folder(), "backup.tar.gz");
  await backup({ ...ctx.config, databaseUrl: ctx.databaseUrl }, file, quiet);
  const home = path.join(folder(), "home");
  const { url } = await emptyDatabase();
  await restore(configOf({ AGENTOPIA_HOME: home, DATABASE_URL: url, AGENTOPIA_SECRET_KEY: key }), file, quiet);
  expect(existsSync(path.join(home, "secret.key"))).toBe(false);
});

test("another key than the backup's is said, and database and folder stay as empty as they were", async () => {
  const { file, config } = await filled();
  expect(config.secretKey).toBeUndefined();
  const home = path.join(folder(), "home");
  const { url, sql } = await emptyDatabase();
  const wrong = configOf({ AGENTOPIA_HOME: home, DATABASE_URL: url, AGENTOPIA_SECRET_KEY: "cd".repeat(32) });
  await expect(restore(wrong, file, quiet)).rejects.toThrow("secret key");
  expect(await tables(sql)).toBe(0);
  expect(readdirSync(path.dirname(home))).toEqual([]);
  await restore(configOf({ AGENTOPIA_HOME: home, DATABASE_URL: url }), file, quiet);
  expect(await tables(sql)).toBeGreaterThan(10);
});

test("a database that is not empty is left alone", async () => {
  const { file } = await filled();
  const { url, sql } = await emptyDatabase();
  await sql`create table precious (id int)`;
  const home = path.join(folder(), "home");
  await expect(restore(configOf({ AGENTOPIA_HOME: home, DATABASE_URL: url }), file, quiet)).rejects.toThrow(
    "public.precious",
  );
  expect(await tables(sql)).toBe(1);
  expect(existsSync(home)).toBe(false);
});

const damages: [string, (inside: string, file: string) => Promise<void>, RegExp][] = [
  ["cut off", async (_inside, file) => writeFileSync(file, readFileSync(file).subarray(0, 9000)), /damaged/],
  ["not even begun", async (_inside, file) => writeFileSync(file, ""), /damaged/],
  [
    "with a changed dump",
    (inside, file) => again(inside, file, () => writeFileSync(path.join(inside, "platform.dump"), "x")),
    /damaged/,
  ],
  ["without its key", (inside, file) => again(inside, file, () => rmSync(path.join(inside, "secret.key"))), /damaged/],
  [
    "without its list",
    (inside, file) => again(inside, file, () => rmSync(path.join(inside, "backup.json"))),
    /damaged/,
  ],
  [
    "with a list that is no JSON",
    (inside, file) => again(inside, file, () => writeFileSync(path.join(inside, "backup.json"), "{")),
    /damaged/,
  ],
  [
    "of a later format",
    (inside, file) => again(inside, file, () => edit(inside, (list) => ({ ...list, format: 2 }))),
    /newer/,
  ],
  [
    "of a later version",
    (inside, file) => again(inside, file, () => edit(inside, (list) => ({ ...list, migrations: 9999 }))),
    /newer version/,
  ],
  [
    "whose list names files outside of it",
    (inside, file) =>
      again(inside, file, () =>
        edit(inside, (list) => ({ ...list, files: { ...list.files, "../../etc/passwd": "0" } })),
      ),
    /damaged/,
  ],
];

test.each(damages)("a file %s is refused, and nothing half-made is left", async (_name, damage, words) => {
  const { file } = await filled();
  const inside = folder();
  await tar.extract({ file, cwd: inside });
  const copy = path.join(folder(), "copy.tar.gz");
  copyFileSync(file, copy);
  await damage(inside, copy);
  const home = path.join(folder(), "home");
  const { url, sql } = await emptyDatabase();
  await expect(restore(configOf({ AGENTOPIA_HOME: home, DATABASE_URL: url }), copy, quiet)).rejects.toThrow(words);
  expect(await tables(sql)).toBe(0);
  expect(readdirSync(path.dirname(home))).toEqual([]);
});

async function again(inside: string, file: string, change: () => void): Promise<void> {
  change();
  await tar.create({ file, cwd: inside, gzip: true }, readdirSync(inside));
}

function edit(inside: string, change: (list: Manifest) => unknown): void {
  const file = path.join(inside, "backup.json");
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, "utf8")) as Manifest)));
}

test("places that cannot be written to are said", async () => {
  const { config, file } = await filled();
  await expect(backup(config, file, quiet)).rejects.toThrow("is there already");
  await expect(backup(config, "/nowhere/at/all.tar.gz", quiet)).rejects.toThrow("There is no folder");
  const full = path.join(folder(), "full");
  mkdirSync(full);
  writeFileSync(path.join(full, "something"), "");
  await expect(restore(configOf({ AGENTOPIA_HOME: full }), file, quiet)).rejects.toThrow("is not empty");
  expect(readdirSync(full)).toEqual(["something"]);
});

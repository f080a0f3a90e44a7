/** DATABASE_URL: what is in the way is said in one sentence. */
import postgres from "postgres";
import { expect, inject, onTestFinished, test } from "vitest";
import { checkDatabase, problemWith } from "../../core/database-check.ts";
import { freePort } from "../../core/ports.ts";
import { testDatabase } from "../harness/postgres.ts";

const good = { version: 180_004, versionText: "18.4", encoding: "UTF8", user: "me", mayCreate: true, vector: true };

test.each([
  ["nothing", {}, null],
  ["an old Postgres", { version: 150_002, versionText: "15.2" }, /version 15\.2, and Agentopia needs 16 or newer/],
  ["another encoding", { encoding: "SQL_ASCII" }, /encoding SQL_ASCII.*encoding 'UTF8' template template0/],
  ["too few rights", { mayCreate: false }, /alter role "me" createdb createrole/],
  ["no pgvector", { vector: false }, /apt install postgresql-18-pgvector/],
] as const)("in the way: %s", (_, difference, sentence) => {
  const problem = problemWith({ ...good, ...difference }, "db:5432/agentopia");
  if (sentence === null) expect(problem).toBeNull();
  else expect(problem).toMatch(sentence);
});

test("a database that fits gets pgvector and passes, twice", async () => {
  const { url, sql } = await testDatabase();
  await checkDatabase(url);
  await checkDatabase(url);
  expect(await sql`select 1 from pg_extension where extname = 'vector'`).toHaveLength(1);
});

test("nobody there, no such database, a user without rights", async () => {
  const server = inject("postgresUrl");
  await expect(checkDatabase(`postgres://me:pw@127.0.0.1:${await freePort()}/agentopia`)).rejects.toThrow(
    /^No Postgres answers at 127\.0\.0\.1:\d+\/agentopia \(DATABASE_URL\)\. Start it or correct DATABASE_URL/,
  );
  const absent = new URL(server);
  absent.pathname = "/not_there";
  await expect(checkDatabase(absent.href)).rejects.toThrow(/\/not_there \(DATABASE_URL\) does not exist\. Create it/);
  const sql = postgres(server, { max: 1, onnotice: () => undefined });
  onTestFinished(async () => {
    await sql`drop role if exists plain_person`;
    await sql.end();
  });
  await sql`create role plain_person login`;
  const plain = new URL(server);
  plain.username = "plain_person";
  await expect(checkDatabase(plain.href)).rejects.toThrow(
    /The user plain_person .* may not make the databases and roles/,
  );
});

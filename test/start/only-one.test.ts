import postgres from "postgres";
import { expect, onTestFinished, test } from "vitest";
import type { AppError } from "../../core/errors.ts";
import { beOnlyOne } from "../../core/only-one.ts";
import { eventually } from "../harness/eventually.ts";
import { testDatabase } from "../harness/postgres.ts";

const never = (error: AppError) => expect.unreachable(error.message);

/** Ends the receiver's connection on the server, as a restart of Postgres does. Returns the backend's pid. */
async function cutOff(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ pid: number }[]>`
    select pid, pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'agentopia receiver'`;
  return row?.pid ?? 0;
}

const holders = (sql: postgres.Sql) =>
  sql<{ pid: number }[]>`
    select a.pid from pg_locks l join pg_stat_activity a using (pid)
    where l.locktype = 'advisory' and l.objid = 7432 and l.granted and a.datname = current_database()`;

test("a second receiver over the same database is refused, until the first is gone", async () => {
  const { url } = await testDatabase();
  const first = await beOnlyOne(url, never);
  await expect(beOnlyOne(url, never)).rejects.toThrow(
    /^Another Agentopia receives for the database at .*Stop that one/,
  );
  await first.release();
  const second = await beOnlyOne(url, never);
  await second.release();
});

test("after Postgres cut the connection it is taken again", async () => {
  const { url, sql } = await testDatabase();
  const first = await beOnlyOne(url, never);
  onTestFinished(first.release);
  const before = await cutOff(sql);
  await eventually("holding it again", async () => {
    const [holder] = await holders(sql);
    return holder && holder.pid !== before;
  });
});

test("when somebody else got it meanwhile, that is said", async () => {
  const { url, sql } = await testDatabase();
  const lost: string[] = [];
  const first = await beOnlyOne(url, (error) => void lost.push(error.sentence));
  onTestFinished(first.release);
  const other = postgres(url, { max: 1 });
  onTestFinished(() => other.end());
  const waiting = other`select pg_advisory_lock(7432)`; // waits for the first to lose it
  const queued = waiting.execute();
  await eventually("the other to wait", async () => {
    const [row] = await sql`select 1 from pg_locks where locktype = 'advisory' and objid = 7432 and not granted`;
    return row;
  });
  await cutOff(sql);
  await queued;
  await eventually("the first to say so", () => lost.length === 1);
  expect(lost[0]).toMatch(/^Another Agentopia receives/);
});

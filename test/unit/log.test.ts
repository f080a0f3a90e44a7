import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { sql } from "drizzle-orm";
import { expect, onTestFinished, test } from "vitest";
import { openLog } from "../../core/log.ts";
import { eventually } from "../harness/eventually.ts";
import { testContext } from "../harness/postgres.ts";

test("a query that fails is in the log, and what it was to write is not", async () => {
  const ctx = await testContext();
  const folder = mkdtempSync(path.join(tmpdir(), "agentopia-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, "test.log");
  const log = openLog({ file });
  const failed = await ctx.db
    .execute(sql`insert into nowhere (a, b) values (${"hunter22\\nand more"}, ${"s3cret"})`)
    .catch((error: unknown) => error);
  expect(String(failed)).toContain("s3cret");
  log.error({ err: failed }, "it failed");
  await eventually("the line", () => readFileSync(file, "utf8").includes("it failed"));
  const line = readFileSync(file, "utf8");
  expect(line).toContain("insert into nowhere");
  expect(line).toContain("does not exist");
  expect(line).not.toMatch(/s3cret|hunter22|and more/);
});

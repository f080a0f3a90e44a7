import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tar from "tar";
import { afterAll, expect, test } from "vitest";
import type { Manifest } from "../../admin/archive.ts";
import { restore } from "../../admin/restore.ts";
import { loadConfig } from "../../core/config.ts";
import { answersTo } from "../harness/answers.ts";
import { eventually } from "../harness/eventually.ts";
import { type Person, signIn } from "../harness/person.ts";
import { type Platform, startPlatform, type TenantFacts } from "../harness/platform.ts";

const FOLDER = mkdtempSync(path.join(tmpdir(), "agentopia-backup-test-"));
const PASSWORD = "ida-has-a-Good-password-1";
const open: Platform[] = [];
let passed = false;
afterAll(async () => {
  for (const platform of open) await platform.end(!passed);
  rmSync(FOLDER, { recursive: true, force: true });
});

async function start(home?: string): Promise<Platform> {
  const platform = await startPlatform({ name: "e2e-backup", ...(home ? { home } : {}) });
  open.push(platform);
  return platform;
}

/** Restores into a folder of its own and starts a platform over it. */
async function restored(file: string, name: string): Promise<{ platform: Platform; ida: Person }> {
  const home = path.join(FOLDER, name);
  const config = loadConfig({ AGENTOPIA_HOME: home, AGENTOPIA_LOCAL_MODEL_PORTS: "none" });
  await restore(config, file, { say: () => undefined });
  const platform = await start(home);
  const { tenants } = await platform.json<{ tenants: TenantFacts[] }>("status");
  const ida = await signIn(tenants.find((one) => one.name === "demo")?.homeserverUrl ?? "", "ida", PASSWORD);
  return { platform, ida };
}

/** The platform's database of one backup with the homeservers of another: as if much had happened between the two dumps. */
async function mixed(platformOf: string, homeserversOf: string): Promise<string> {
  const [one, two] = await Promise.all([unpacked(platformOf), unpacked(homeserversOf)]);
  const manifest = (folder: string) => JSON.parse(readFileSync(path.join(folder, "backup.json"), "utf8")) as Manifest;
  const [a, b] = [manifest(one), manifest(two)];
  writeFileSync(path.join(two, "platform.dump"), readFileSync(path.join(one, "platform.dump")));
  const files = { ...b.files, "platform.dump": a.files["platform.dump"] ?? "" };
  writeFileSync(path.join(two, "backup.json"), JSON.stringify({ ...b, files }));
  const file = path.join(FOLDER, "mixed.tar.gz");
  await tar.create({ file, cwd: two, gzip: true }, readdirSync(two));
  return file;
}

async function unpacked(file: string): Promise<string> {
  const folder = mkdtempSync(path.join(FOLDER, "unpacked-"));
  await tar.extract({ file, cwd: folder });
  return folder;
}

const finals = async (person: Person, room: string, question: string) =>
  answersTo(await person.history(room), question).flatMap((answer) => answer.finals);

test("backups: made while it runs and while it is stopped, restored into empty folders, answering again, nothing twice", async () => {
  const [before, after, stopped, held] = ["before", "after", "stopped", "held"].map((name) =>
    path.join(FOLDER, `${name}.tar.gz`),
  ) as [string, string, string, string];
  const first = await start();
  const ida = await first.person("ida");
  const room = await ida.room("general");
  const writer = first.agents().then((agents) => agents[0]?.userId ?? "");
  const known = await ida.ask(room, await writer, "what is known? #known");
  await ida.answer(known);

  await first.cli("backup", before);
  expect(statSync(before).mode & 0o777).toBe(0o600);
  const between = await ida.ask(room, await writer, "asked between the two dumps #between");
  const betweenAnswer = await ida.answer(between);
  await first.cli("backup", after);
  first.model.hold();
  const open1 = await ida.ask(room, await writer, "asked while the backup is made #open");
  await first.model.until((model) => model.heldNow().length === 1, "the question to be in the model");
  await first.cli("backup", held);
  first.model.release();
  await ida.answer(open1);
  await first.stop();
  await first.cli("backup", stopped);
  await expect(first.cli("backup", stopped)).rejects.toThrow("is there already");

  const second = await restored(stopped, "from-stopped");
  expect(await finals(second.ida, room, known)).toHaveLength(1);
  const asked = await second.ida.ask(room, await writer, "are you there again? #again");
  expect((await second.ida.answer(asked)).text).toBe("Answer to #again");
  expect((await second.platform.agents()).map(({ name }) => name)).toEqual(["Interviewer", "Planner", "Writer"]);
  expect(second.platform.model.asked("#known")).toHaveLength(0);
  await second.platform.stop();

  // Taken with an answer under way: it is given once.
  const third = await restored(held, "from-held");
  await third.ida.answer(open1);
  expect(await finals(third.ida, room, open1)).toHaveLength(1);
  await third.platform.stop();

  // The homeserver's dump knows a question and its answer which the platform's does not: it is worked on again, and the
  // same transaction ids give the event that is there.
  const fourth = await restored(await mixed(before, after), "from-mixed");
  await fourth.platform.model.until(
    (model) => model.asked("#between").length > 0,
    "the question to be asked again",
    30_000,
  );
  await eventually("that run to be over", async () => {
    const rows = await fourth.platform.ctx.sql`select from runs where question_event = ${between} and state = 'done'`;
    return rows.length > 0;
  });
  const later = await fourth.ida.ask(room, await writer, "and after that? #later");
  await fourth.ida.answer(later);
  const given = answersTo(await fourth.ida.history(room), between);
  expect(given.map((answer) => answer.eventId)).toEqual([betweenAnswer.eventId]);
  expect(await finals(fourth.ida, room, between)).toHaveLength(1);
  expect(await finals(fourth.ida, room, known)).toHaveLength(1);
  expect(fourth.platform.model.asked("#known")).toHaveLength(0);
  passed = true;
}, 240_000);

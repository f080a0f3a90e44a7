import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { removeOldBuilds } from "../../admin/web/old-builds.ts";

const NOW = Date.now();
const minutesAgo = (minutes: number) => new Date(NOW - minutes * 60_000);

function runtime(builds: Record<string, number>): string {
  const folder = mkdtempSync(path.join(tmpdir(), "agentopia-builds-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, minutes] of Object.entries(builds)) {
    mkdirSync(path.join(folder, name, "assets"), { recursive: true });
    writeFileSync(path.join(folder, name, "stamp"), name);
    utimesSync(path.join(folder, name), minutesAgo(minutes), minutesAgo(minutes));
  }
  return folder;
}

test("folders of builds that ended long ago go; the new one, one that still runs and what is no build stay", async () => {
  const folder = runtime({ "panel-new": 90, "panel-old": 61, "panel-running": 59, python: 900 });
  symlinkSync("panel-new", path.join(folder, "panel"));
  await removeOldBuilds(folder, "panel-new", NOW);
  expect(readdirSync(folder).sort()).toEqual(["panel", "panel-new", "panel-running", "python"]);
});

test("two that clean up at once do not disturb each other", async () => {
  const folder = runtime({ "panel-a": 0, "panel-b": 0, "panel-old": 61 });
  await Promise.all(["panel-a", "panel-b"].map((name) => removeOldBuilds(folder, name, NOW)));
  expect(readdirSync(folder).sort()).toEqual(["panel-a", "panel-b"]);
});

import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Setting } from "./setting.ts";

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string }; children?: number[] }[];
  samples: number[];
  timeDeltas: number[];
}

/** The workflow engine and the Postgres driver that only it uses. */
const ENGINE = /node_modules\/(@dbos-inc|pg|pg-pool|pg-protocol|pg-types|pg-connection-string|superjson)\//;
const OTHER_CODE = /file:\/\//;

/**
 * Which part of the platform's busy time is the workflow engine's: a profile of the platform while it answers. A sample belongs to the
 * engine when the innermost frame with a file is the engine's, so our steps that it calls do not count as its.
 */
export async function measureEngineShare({ platform }: Setting, work: () => Promise<void>): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), "agentopia-profile-"));
  try {
    await platform.kill9();
    await platform.start({ NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${folder} --cpu-prof-interval=500` });
    await work();
    await platform.stop();
    const shares = globSync(path.join(folder, "*.cpuprofile")).map((file) =>
      engineShare(JSON.parse(readFileSync(file, "utf8")) as Profile),
    );
    await platform.start();
    return Math.max(...shares.map((share) => share.engineMs / share.busyMs));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function engineShare(profile: Profile): { engineMs: number; busyMs: number } {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id])));
  let engine = 0;
  let busy = 0;
  for (const [index, sample] of profile.samples.entries()) {
    const name = nodes.get(sample)?.callFrame.functionName;
    if (name === "(idle)" || name === "(program)" || name === "(root)") continue;
    const delta = profile.timeDeltas[index] ?? 0;
    busy += delta;
    for (let at: number | undefined = sample; at !== undefined; at = parents.get(at)) {
      const url = nodes.get(at)?.callFrame.url ?? "";
      if (!OTHER_CODE.test(url)) continue;
      if (ENGINE.test(url)) engine += delta;
      break;
    }
  }
  return { engineMs: engine / 1000, busyMs: busy / 1000 };
}

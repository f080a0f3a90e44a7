import { lstat, readdir, rm } from "node:fs/promises";
import path from "node:path";

/** Longer than any build takes. */
const HOUR_MS = 3_600_000;

/** Removes what earlier builds left in a folder, links of theirs too. What is younger than an hour may be of a build that still runs: that stays. */
export async function removeOldBuilds(folder: string, current: string, now: number): Promise<void> {
  const others = (await readdir(folder)).filter((entry) => /^panel[-.]/.test(entry) && entry !== current);
  await Promise.all(
    others.map(async (entry) => {
      const place = path.join(folder, entry);
      const changedAt = await lstat(place).then(({ mtimeMs }) => mtimeMs, unlessGone);
      if (now - changedAt > HOUR_MS) await rm(place, { recursive: true, force: true });
    }),
  );
}

/** Another build may remove it at the same time: then nothing is left to do here. */
function unlessGone(error: NodeJS.ErrnoException): number {
  if (error.code === "ENOENT") return Number.POSITIVE_INFINITY;
  throw error;
}

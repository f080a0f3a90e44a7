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
      // Another build may remove it at the same time.
      const found = await lstat(place).catch(() => null);
      if (found && now - found.mtimeMs > HOUR_MS) await rm(place, { recursive: true, force: true });
    }),
  );
}

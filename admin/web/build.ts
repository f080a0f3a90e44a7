/** Builds the panel into `.runtime/panel` in one step: until all of it is there, what was there before is served. Started by setup.mjs with the stamp of the sources. */
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { build } from "vite";
import { removeOldBuilds } from "./old-builds.ts";

const RUNTIME = path.resolve(import.meta.dirname, "../../.runtime");
const LINK = path.join(RUNTIME, "panel");
const [stamp = "by hand"] = process.argv.slice(2);

const name = `panel-${process.pid.toString(36)}-${stamp.slice(0, 12)}`;
const folder = path.join(RUNTIME, name);
await mkdir(RUNTIME, { recursive: true });
try {
  await build({ configFile: path.join(import.meta.dirname, "vite.config.ts"), build: { outDir: folder } });
  await compress(path.join(folder, "assets"));
  await writeFile(path.join(folder, "stamp"), stamp);
  await putInPlace();
  await removeOldBuilds(RUNTIME, name, Date.now());
} catch (error) {
  await rm(folder, { recursive: true, force: true });
  throw error;
}

/** Beside each file what is sent to browsers that take it compressed: done once here, not at every request. */
async function compress(assets: string): Promise<void> {
  const files = (await readdir(assets)).filter((file) => /\.(js|css|svg|json)$/.test(file));
  await Promise.all(
    files.map(async (file) => {
      const bytes = await readFile(path.join(assets, file));
      const params = { [constants.BROTLI_PARAM_QUALITY]: 10, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
      await writeFile(path.join(assets, `${file}.br`), await promisify(brotliCompress)(bytes, { params }));
      await writeFile(path.join(assets, `${file}.gz`), await promisify(gzip)(bytes, { level: 9 }));
    }),
  );
}

/** A link is replaced in one step, a folder is not. */
async function putInPlace(): Promise<void> {
  const next = `${LINK}.${process.pid}`;
  await symlink(name, next);
  try {
    await rename(next, LINK);
  } catch (error) {
    if (!["EISDIR", "ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    await rm(LINK, { recursive: true }); // a folder, as Vite alone makes it
    await rename(next, LINK);
  }
}

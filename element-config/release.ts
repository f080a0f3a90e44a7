import { createHash } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import type { Config } from "../core/config.ts";
import { AppError } from "../core/errors.ts";

export interface Release {
  url: string;
  /** SHA-256 of the archive, 64 hex digits. */
  sha256: string;
}

/**
 * The release that is fetched when nothing else is set. The digest is the one that the public lock file of another project
 * gives for this archive; it could not be checked against the archive where this was written. A wrong digest costs
 * nothing but Element Web: the archive is then refused (docs/decisions, "Element Web").
 */
export const PINNED: Release = {
  url: "https://github.com/element-hq/element-web/releases/download/v1.12.26/element-v1.12.26.tar.gz",
  sha256: "fd51039bddc7b06e2c1d2408729b5da92ec0acc003dc85e58c79baea0b38435b",
};

const MAX_ARCHIVE = 120 * 1024 * 1024;
const MAX_UNPACKED = 600 * 1024 * 1024;
const MAX_FILES = 20_000;

/** Which release to fetch; undefined when `AGENTOPIA_ELEMENT_WEB_URL` is `none`. Throws `setup` for an address without a digest. */
export function wantedRelease(config: Pick<Config, "elementWebUrl" | "elementWebSha256">): Release | undefined {
  const { elementWebUrl: url, elementWebSha256: sha256 } = config;
  if (!url) return PINNED;
  if (url === "none") return undefined;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new AppError("setup", "AGENTOPIA_ELEMENT_WEB_URL must be an http or https address of a tar.gz, or `none`.");
  if (!sha256 || !/^[0-9a-f]{64}$/i.test(sha256))
    throw new AppError(
      "setup",
      "AGENTOPIA_ELEMENT_WEB_URL is set: set AGENTOPIA_ELEMENT_WEB_SHA256 to the archive's SHA-256 (64 hex digits) as well.",
    );
  return { url, sha256: sha256.toLowerCase() };
}

/** Where a release lies unpacked; the digest is its name, so that another release never meets its files. */
export const releaseFolder = (home: string, release: Release): string =>
  path.join(home, "element-web", release.sha256.slice(0, 16));

/**
 * Fetches a release once: size limit, SHA-256, then unpacked beside its place and moved there whole. Returns the folder
 * with `index.html`. Throws `setup` with a sentence; what was half-made is gone then.
 */
export async function fetchRelease(
  home: string,
  release: Release,
  options: { signal?: AbortSignal; maxBytes?: number } = {},
): Promise<string> {
  const folder = releaseFolder(home, release);
  if (existsSync(path.join(folder, "index.html"))) return folder;
  const work = `${folder}.new-${process.pid}`;
  mkdirSync(work, { recursive: true });
  try {
    const archive = path.join(work, "archive.tar.gz");
    await download(release, archive, options);
    await unpack(archive, path.join(work, "unpacked"));
    rmSync(folder, { recursive: true, force: true });
    renameSync(path.join(work, "unpacked"), folder);
    return folder;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function download(
  release: Release,
  file: string,
  { signal, maxBytes = MAX_ARCHIVE }: { signal?: AbortSignal; maxBytes?: number },
): Promise<void> {
  const timeout = AbortSignal.timeout(10 * 60_000);
  const hash = createHash("sha256");
  let size = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      done(size > maxBytes ? refused(`it is larger than ${maxBytes} bytes`) : null, chunk);
    },
  });
  try {
    // The operator set this address (or it is ours), nobody else can: it needs no guard.
    const response = await fetch(release.url, { signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    if (!response.ok || !response.body) throw refused(`its server answered ${response.status}`);
    const body = Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
    await pipeline(body, check, createWriteStream(file, { mode: 0o600 }));
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("setup", `Element Web could not be fetched from ${new URL(release.url).host}.`, { cause });
  }
  const found = hash.digest("hex");
  if (found !== release.sha256) throw refused(`its SHA-256 is ${found} instead of ${release.sha256}`);
}

/** Files and folders only, never outside `target`; the archive's one top folder (`element-v1.2.3/`) is left out. */
async function unpack(archive: string, target: string): Promise<void> {
  const tar = await import("tar");
  mkdirSync(target, { recursive: true });
  let bytes = 0;
  let files = 0;
  let problem: AppError | undefined;
  try {
    await tar.extract({
      file: archive,
      cwd: target,
      strip: 1,
      strict: true,
      preserveOwner: false,
      filter: (_path, entry) => {
        if (problem || !("type" in entry)) return false;
        bytes += entry.size;
        files += 1;
        if (bytes > MAX_UNPACKED || files > MAX_FILES) problem = refused("it unpacks to too much");
        return !problem && (entry.type === "File" || entry.type === "Directory");
      },
    });
  } catch (cause) {
    throw new AppError("setup", "The Element Web archive is damaged and was not used.", { cause });
  }
  if (problem) throw problem;
  if (!existsSync(path.join(target, "index.html"))) throw refused("there is no index.html in it");
}

const refused = (why: string) => new AppError("setup", `The Element Web archive was not used: ${why}.`);

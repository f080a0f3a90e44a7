/** Faces of agents: drawn from a seed, or uploaded. */
import { createHash } from "node:crypto";
import { and, eq } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { stableId } from "../core/ids.ts";
import { avatars } from "../migrations/schema.ts";
import type { AgentDefinition } from "../migrations/types.ts";
import { drawAvatar } from "./avatar.ts";

export interface PictureFile {
  bytes: Uint8Array;
  contentType: string;
}

export const MAX_PICTURE = 1_000_000;
const MAX_SIDE = 4096;

/** Names the face that a definition has: the same name, the same picture. */
export function faceOf(agentId: string, { avatar }: Pick<AgentDefinition, "avatar">): string {
  if (avatar?.kind === "uploaded") return `picture:${avatar.id}`;
  return `drawn:${avatar?.seed ?? agentId}`;
}

/** The picture of a definition; a drawn one where the uploaded one is gone. */
export async function readPicture(
  ctx: Context,
  tenantId: string,
  { id, definition }: { id: string; definition: AgentDefinition },
): Promise<PictureFile> {
  const { avatar } = definition;
  const uploaded = avatar?.kind === "uploaded" ? await findPicture(ctx, tenantId, avatar.id) : null;
  return uploaded ?? drawFace(avatar?.kind === "generated" ? avatar.seed : id);
}

/** An uploaded picture; null when it is not there or another tenant's. */
export async function findPicture(ctx: Context, tenantId: string, id: string): Promise<PictureFile | null> {
  const [row] = await ctx.db
    .select({ bytes: avatars.bytes, contentType: avatars.contentType })
    .from(avatars)
    .where(and(eq(avatars.tenantId, tenantId), eq(avatars.id, id)));
  return row ?? null;
}

/** Keeps a picture; the same one is kept once. Returns its id. Throws `invalid` for what is no PNG or JPEG, or too large. */
export async function keepPicture(ctx: Context, tenantId: string, bytes: Uint8Array): Promise<string> {
  const contentType = checkPicture(bytes);
  const id = stableId("avatar", tenantId, createHash("sha256").update(bytes).digest("hex"));
  await ctx.db.insert(avatars).values({ id, tenantId, contentType, bytes }).onConflictDoNothing();
  return id;
}

/** Its content type, from its first bytes. Throws `invalid`. */
export function checkPicture(bytes: Uint8Array): string {
  if (bytes.length > MAX_PICTURE) throw new AppError("invalid", "A picture has at most 1 MB. Choose a smaller one.");
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = pngSize(file) ?? jpegSize(file);
  if (!size) throw new AppError("invalid", "This is no PNG or JPEG picture. Choose one that ends in .png or .jpg.");
  if (size.width < 1 || size.height < 1 || size.width > MAX_SIDE || size.height > MAX_SIDE)
    throw new AppError("invalid", `A picture is at most ${MAX_SIDE} pixels wide and high. Choose a smaller one.`);
  return size.contentType;
}

interface Size {
  contentType: string;
  width: number;
  height: number;
}

/** PNG: signature, then the header chunk with both sides. */
function pngSize(file: Buffer): Size | null {
  const isPng = file.length > 33 && file.subarray(0, 8).toString("hex") === "89504e470d0a1a0a";
  if (!isPng || file.toString("latin1", 12, 16) !== "IHDR") return null;
  return { contentType: "image/png", width: file.readUInt32BE(16), height: file.readUInt32BE(20) };
}

/** JPEG: segments follow each other until a frame's header (SOF), which has both sides. */
function jpegSize(file: Buffer): Size | null {
  if (file.length < 4 || file.readUInt16BE(0) !== 0xffd8) return null;
  for (let at = 2; at + 9 < file.length && file[at] === 0xff; ) {
    const marker = file[at + 1] ?? 0;
    if (marker === 0xff) at += 1;
    else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
      return { contentType: "image/jpeg", height: file.readUInt16BE(at + 5), width: file.readUInt16BE(at + 7) };
    else if (marker === 0xd9 || marker === 0xda) return null;
    else at += 2 + Math.max(2, file.readUInt16BE(at + 2));
  }
  return null;
}

/** Drawing one takes some milliseconds; a gallery shows many. */
const drawn = new Map<string, Uint8Array>();
const MOST_DRAWN = 1000;

export function drawFace(seed: string): PictureFile {
  let bytes = drawn.get(seed);
  if (!bytes) {
    bytes = drawAvatar(seed);
    const [oldest] = drawn.keys();
    if (drawn.size >= MOST_DRAWN && oldest !== undefined) drawn.delete(oldest);
    drawn.set(seed, bytes);
  }
  return { bytes, contentType: "image/png" };
}

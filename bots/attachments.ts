import type { FilePart } from "ai";
import type { Context } from "../core/context.ts";
import { downloadMedia } from "../homeserver/matrix.ts";
import type { ModelAbilities } from "../migrations/types.ts";

const IMAGE_BYTES = 8 * 1024 * 1024;
const TEXT_BYTES = 256 * 1024;

export interface Attachments {
  parts: FilePart[];
  /** Contents of text files, for any model. */
  texts: string[];
  /** Names of the files that are in `parts` and `texts`. */
  names: string[];
  /** One sentence for each file that this model cannot take. */
  refused: string[];
}

interface MediaContent {
  msgtype?: unknown;
  url?: unknown;
  body?: unknown;
  filename?: unknown;
  info?: { mimetype?: unknown; size?: unknown };
}

/** Reads the files of the given messages (m.image, m.file, …) as the agent, as far as the model takes them. */
export async function loadAttachments(
  ctx: Context,
  run: { tenantId: string; agentUserId: string },
  model: { name: string; abilities: ModelAbilities },
  contents: MediaContent[],
): Promise<Attachments> {
  const found: Attachments = { parts: [], texts: [], names: [], refused: [] };
  for (const content of contents) {
    const kind = mediaKind(content);
    if (!kind || typeof content.url !== "string") continue;
    const name = String(content.filename ?? content.body ?? "file");
    const limit = kind === "text" ? TEXT_BYTES : IMAGE_BYTES;
    const refusal = refusalOf(kind, name, content, model, limit);
    if (refusal) {
      found.refused.push(refusal);
      continue;
    }
    const { bytes, contentType } = await downloadMedia(ctx, {
      tenantId: run.tenantId,
      as: run.agentUserId,
      mxc: content.url,
      maxBytes: limit,
    });
    found.names.push(name);
    const mediaType = typeof content.info?.mimetype === "string" ? content.info.mimetype : contentType;
    if (kind === "text") found.texts.push(`Content of the file ${name}:\n${new TextDecoder().decode(bytes)}`);
    else found.parts.push({ type: "file", data: bytes, mediaType, filename: name });
  }
  return found;
}

/** What kind of file a message carries; null for a message without one. */
export function mediaKind(content: MediaContent): "image" | "text" | "file" | null {
  if (content.msgtype === "m.image") return "image";
  if (content.msgtype === "m.audio" || content.msgtype === "m.video") return "file";
  if (content.msgtype !== "m.file") return null;
  const type = String(content.info?.mimetype ?? "");
  return /^text\/|[/+](json|xml|yaml|csv|javascript)$/.test(type)
    ? "text"
    : type.startsWith("image/")
      ? "image"
      : "file";
}

function refusalOf(
  kind: "image" | "text" | "file",
  name: string,
  content: MediaContent,
  model: { name: string; abilities: ModelAbilities },
  limit: number,
): string | null {
  if (kind === "image" && !model.abilities.images)
    return `I cannot look at “${name}”: my model (${model.name}) does not take images. Describe it in words, or ask a manager for a model that sees.`;
  if (kind === "file" && !model.abilities.files)
    return `I cannot read “${name}”: my model (${model.name}) does not take such files. Paste the text that matters.`;
  if (Number(content.info?.size ?? 0) > limit)
    return `“${name}” is too large for me: I read up to ${Math.floor(limit / 1024)} kB. Send a smaller one.`;
  return null;
}

/** Send a file of the client's area to the room of the run. */
import type { Context } from "../../../core/context.ts";
import { AppError } from "../../../core/errors.ts";
import { sendEvent, uploadMedia } from "../../../homeserver/matrix.ts";
import { isMadeEvent } from "../../made-events.ts";
import { isPicture } from "../content-types.ts";
import { filePath, pathOrText } from "../file-paths.ts";
import { readFile, type StoredFile } from "../files.ts";
import { oneLine } from "../one-line.ts";
import type { Tool, ToolRun } from "../tool.ts";

export const filesSend: Tool = {
  name: "files_send",
  group: "files",
  title: "Send a file to the room",
  summary: "Sends one of the company's files into the room.",
  description: "Sends one of the company's own files into the room (and thread) in which you were asked.",
  input: {
    type: "object",
    properties: { path: { type: "string", minLength: 1, maxLength: 300, description: "As files_list shows it." } },
    required: ["path"],
    additionalProperties: false,
  },
  labels: { path: "File" },
  risk: "medium",
  reads: "nothing",
  sends: "inside",
  ofCompany: true,
  repeatable: true,
  targets: (args) => [{ kind: "folder", value: pathOrText(filePath, String(args.path)) }],
  rooms: () => [{ room: "", does: { send: "m.room.message" } }],
  sentence: (args) => `send the file “${oneLine(args.path, 300)}” to this room`,
  run: send,
};

async function send(call: ToolRun) {
  const { ctx, tenantId, args, agent, callId } = call;
  const roomId = realRoom(call);
  const file = await readFile(ctx, tenantId, String(args.path));
  const content = await contentOf(ctx, call, file);
  await sendEvent(ctx, {
    tenantId,
    as: agent.userId,
    deviceId: agent.deviceId,
    roomId,
    // The same for every attempt: sent twice is sent once.
    txnId: `file.${agent.id}.${callId}`,
    type: "m.room.message",
    content,
  });
  return { text: `The file ${content.filename} was sent to the room.` };
}

/** Throws `invalid` where there is no room that a homeserver knows. */
export function realRoom({ roomId }: Pick<ToolRun, "roomId">): string {
  if (roomId?.startsWith("!")) return roomId;
  throw new AppError("invalid", "There is no room here: files are sent and taken in rooms only.");
}

async function contentOf(ctx: Context, { tenantId, agent, threadRoot }: ToolRun, file: StoredFile) {
  const { bytes, contentType, path, size, untrusted } = file;
  const filename = path.slice(path.lastIndexOf("/") + 1);
  const url = await uploadMedia(ctx, { tenantId, as: agent.userId, bytes, contentType, filename });
  const thread = { rel_type: "m.thread", event_id: threadRoot, is_falling_back: true };
  return {
    msgtype: isPicture(contentType) ? "m.image" : "m.file",
    body: filename,
    filename,
    url,
    info: { mimetype: contentType, size },
    "m.mentions": {},
    ...(threadRoot && !isMadeEvent(threadRoot)
      ? { "m.relates_to": { ...thread, "m.in_reply_to": { event_id: threadRoot } } }
      : {}),
    // Who takes it from the room again is told.
    ...(untrusted ? { "dev.agentopia.untrusted": untrusted } : {}),
  };
}

/** Take a file that was sent in the room of the run into the client's area. */
import { AppError } from "../../../core/errors.ts";
import { downloadMedia } from "../../../homeserver/matrix.ts";
import { sizeText } from "../content-types.ts";
import { filePath, pathOrText } from "../file-paths.ts";
import { MOST_FILE, writeFile } from "../files.ts";
import { oneLine } from "../one-line.ts";
import type { Args, Tool, ToolRun } from "../tool.ts";
import { realRoom } from "./files-send.ts";

export const filesTake: Tool = {
  name: "files_take",
  group: "files",
  title: "Take a file from the room",
  summary: "Keeps a file that somebody sent in the room among the company's files.",
  description:
    "Keeps a file that somebody sent in this room among the company's own files, so that it can be read with files_read. " +
    "Name it by the event id of its message, or by its file name: then it is the newest with that name.",
  input: {
    type: "object",
    properties: {
      event: { type: "string", maxLength: 255, description: "The event id of the message with the file." },
      name: { type: "string", maxLength: 255, description: "Or its file name." },
      path: { type: "string", minLength: 1, maxLength: 300, description: "Where to keep it, as received/offer.pdf" },
    },
    required: ["path"],
    additionalProperties: false,
  },
  labels: { event: "Message", name: "File name", path: "Keep as" },
  risk: "medium",
  reads: "private",
  sends: "inside",
  ofCompany: true,
  repeatable: true,
  targets: (args) => [{ kind: "folder", value: pathOrText(filePath, String(args.path)) }],
  rooms: () => [{ room: "", does: "read" }],
  sentence: (args) =>
    `keep the file “${oneLine(args.name ?? args.event ?? "", 255)}” of this room as “${oneLine(args.path, 300)}”`,
  run: take,
};

async function take(call: ToolRun) {
  const { ctx, tenantId, args, agent, run } = call;
  const path = filePath(String(args.path));
  const { sender, content, serverName } = await findFile(call);
  if (typeof content.url !== "string")
    throw new AppError(
      "invalid",
      "That file is encrypted, and agents cannot open encrypted files. Send it again in a room without encryption.",
    );
  const mxc = content.url;
  const { bytes, contentType } = await downloadMedia(ctx, { tenantId, as: agent.userId, mxc, maxBytes: MOST_FILE });
  const stranger = sender.slice(sender.indexOf(":") + 1) !== serverName;
  const untrusted = markOf(content) ?? (stranger ? `the file “${nameOf(content)}” of ${sender}` : null);
  const file = await writeFile(ctx, tenantId, {
    path,
    bytes,
    contentType,
    untrusted: untrusted ?? run?.untrusted ?? null,
    by: agent.userId,
  });
  return { text: `“${nameOf(content)}” is kept as “${file.path}” (${sizeText(file.size)}).`, untrusted };
}

interface Sent {
  sender: string;
  content: Record<string, unknown>;
  serverName: string;
}

/** Only of what both the agent and the person for whom it acts may have seen there: they are in the room, and it was said since they could. */
async function findFile(call: ToolRun): Promise<Sent> {
  const { ctx, tenantId, agent, person } = call;
  const roomId = realRoom(call);
  const wish = wishOf(call.args);
  const since = (userId: string) => ctx.sql`
    (select visible_from from room_members where tenant_id = ${tenantId} and room_id = ${roomId} and user_id = ${userId} and membership = 'join')`;
  const [found] = await ctx.sql<Sent[]>`
    select i.sender, i.content, t.server_name as "serverName" from inbox i join tenants t on t.id = i.tenant_id
    where i.tenant_id = ${tenantId} and i.room_id = ${roomId} and i.type = 'm.room.message'
      and i.content->>'msgtype' in ('m.file', 'm.image', 'm.audio', 'm.video')
      and i.outcome is distinct from 'ignored:before_arrival'
      and i.seq >= ${since(person)} and i.seq >= ${since(agent.userId)}
      and ${
        wish.event === null
          ? ctx.sql`lower(coalesce(i.content->>'filename', i.content->>'body')) = ${wish.name.toLowerCase()}`
          : ctx.sql`i.event_id = ${wish.event}`
      }
    order by i.seq desc limit 1`;
  if (found) return found;
  throw new AppError(
    "not_found",
    "There is no such file in this room, or whoever asked could not see it. Name it as it was sent.",
  );
}

function wishOf({ event, name }: Args): { event: string; name: string } | { event: null; name: string } {
  if (typeof event === "string" && event !== "") return { event, name: "" };
  if (typeof name === "string" && name !== "") return { event: null, name };
  throw new AppError("invalid", "Say which file: its event id or its name.");
}

const nameOf = (content: Sent["content"]): string => oneLine(content.filename ?? content.body ?? "file", 200);

const markOf = (content: Sent["content"]): string | null => {
  const mark = content["dev.agentopia.untrusted"];
  return typeof mark === "string" && mark !== "" ? oneLine(mark, 300) : null;
};

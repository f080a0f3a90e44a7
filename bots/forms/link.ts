/** A link to a form, said in a room: whoever opens it signs in there, and the result comes back to the room. */
import { CHANNELS, type Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import type { ActionPayload } from "../../migrations/types.ts";
import { agentSpeaker } from "../speaker.ts";
import type { FormRow } from "./rows.ts";

/** Throws `conflict` for a form that cannot be filled in, `not_found`, and `conflict` for a room in which nobody of ours can speak. */
export async function postFormLink(
  ctx: Context,
  form: FormRow,
  { roomId, url }: { roomId: string; url: string },
): Promise<void> {
  const { tenantId, name, definition } = form;
  if (form.state !== "active")
    throw new AppError(
      "conflict",
      `The form ${name} is not active, so nobody could fill it in. Publish or resume it first.`,
    );
  const [room] = await ctx.sql<{ archived: boolean }[]>`
    select archived_at is not null as archived from rooms where tenant_id = ${tenantId} and room_id = ${roomId} and kind <> 'space'`;
  if (!room) throw new AppError("not_found", "There is no such room.");
  if (room.archived) throw new AppError("conflict", "This room is archived, so nothing is said there any more.");
  const as = await agentSpeaker(ctx.sql, { tenantId, roomId, agentId: definition.agent });
  if (as === null)
    throw new AppError(
      "conflict",
      "Neither the form's agent nor the platform's own user is in this room, so nobody can post the link. Add the agent first.",
    );
  const about = definition.description ? `\n\n${definition.description}` : "";
  const text = `[${plain(definition.title)}](${url})${about}\n\nOpen the link to fill it in, or write \`!${name}\` here.`;
  const payload: ActionPayload = { kind: "message", as, text };
  await ctx.sql`
    with added as (insert into actions (id, tenant_id, room_id, payload)
      values (${newId()}, ${tenantId}, ${roomId}, ${JSON.stringify(payload)}::text::jsonb) returning 1)
    select pg_notify(${CHANNELS.action}, '') from added`;
}

/** Markdown in a title is no Markdown of the link. */
const plain = (title: string) => title.replaceAll(/[[\]\\`*_]/g, "\\$&");

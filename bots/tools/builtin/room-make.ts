/** Make a room. The control bot makes it, so that it is one like those that managers make. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../../../core/context.ts";
import { AppError } from "../../../core/errors.ts";
import { isPersonId } from "../../../homeserver/people.ts";
import { MAX_NAME, MAX_TOPIC } from "../../../homeserver/room-manage.ts";
import { makeFreeRoom, putAgentPowerLevels } from "../../../homeserver/rooms.ts";
import { serverOf } from "../../room-view.ts";
import { findInvited, invite, join } from "../invites.ts";
import { oneLine } from "../one-line.ts";
import type { Args, Tool, ToolRun } from "../tool.ts";

const MOST_INVITED = 20;
/** How long it waits until the platform knows the room, so that what follows finds it. */
const PATIENCE_MS = 3000;

export const roomMake: Tool = {
  name: "room_make",
  group: "room",
  title: "Make a room",
  summary: "Makes a new room and invites people into it.",
  description:
    "Makes a new room with the person who asked and you in it, and invites others. Returns its id. Use it only when somebody asked for a room.",
  input: {
    type: "object",
    properties: {
      name: { type: "string", minLength: 1, maxLength: MAX_NAME },
      topic: { type: "string", maxLength: MAX_TOPIC },
      invite: {
        type: "array",
        maxItems: MOST_INVITED,
        items: { type: "string", minLength: 1, maxLength: 255 },
        description: "Names or user ids of people and agents.",
      },
      open: { type: "boolean", description: "True only when people of other companies are to be invited later." },
    },
    required: ["name"],
    additionalProperties: false,
  },
  risk: "medium",
  reads: "nothing",
  sends: "inside",
  // Whoever is invited from another server, now or later, sees what it is called and what it is about.
  sendsOutside: ({ open }) => open === true,
  repeatable: true,
  sentence: (args) => {
    const others = namesIn(args);
    const with_ = others.length > 0 ? ` and invite ${others.map((one) => oneLine(one, 255)).join(", ")}` : "";
    return `make the room “${oneLine(args.name, MAX_NAME)}”${args.open ? ", open to other servers," : ""}${with_}`;
  },
  run: make,
};

const namesIn = ({ invite: names }: Args): string[] => (Array.isArray(names) ? names.map(String) : []);

async function make(call: ToolRun) {
  const { ctx, tenantId, callId, args, agent, person, run } = call;
  if (!isPersonId(person, serverOf(agent.userId)))
    throw new AppError("forbidden", "A room is made only for a person of this company, who is then in it.");
  const name = oneLine(args.name, MAX_NAME);
  if (name === "") throw new AppError("invalid", "A room needs a name.");
  const federated = args.open === true;
  // Before anything is made: a name that nobody has leaves no room behind.
  const others = [];
  for (const one of namesIn(args)) others.push(await findInvited(call, one, { federated }));
  const topic = String(args.topic ?? "").trim() || undefined;
  const named = { name, topic, untrusted: run?.untrusted ?? null };
  const roomId = await makeFreeRoom(ctx, { tenantId, ...named, federated, cause: ["room_make", callId] });
  // Who asked for it is its moderator, before an agent's own level is set.
  await putAgentPowerLevels(ctx, { tenantId, roomId, users: { [person]: 50 } });
  await join(call, roomId);
  for (const one of others) await invite(call, one, roomId);
  await known(ctx, { tenantId, roomId, users: [agent.userId, person] });
  const invited = others.length > 0 ? ` Invited: ${others.map((one) => one.name).join(", ")}.` : "";
  return { text: `The room “${name}” is made (${roomId}); you and the person who asked are in it.${invited}` };
}

/** Until routing has heard of it. It does so by itself: nothing is lost when this gives up. */
async function known(
  ctx: Context,
  { tenantId, roomId, users }: { tenantId: string; roomId: string; users: string[] },
): Promise<void> {
  const until = ctx.clock.now() + PATIENCE_MS;
  while (ctx.clock.now() < until) {
    const [row] = await ctx.sql<{ there: boolean }[]>`
      select r.state is not null and (select count(*) from room_members m where m.tenant_id = r.tenant_id and m.room_id = r.room_id
        and m.membership = 'join' and m.user_id = any(${users}::text[])) = ${users.length} as there
      from rooms r where tenant_id = ${tenantId} and room_id = ${roomId}`;
    if (row?.there) return;
    await sleep(30);
  }
}

/** Inviting for a person: who may be invited, by whom, and how. An agent invites nobody whom its person could not. */

import { AppError } from "../../core/errors.ts";
import { tenantAccess } from "../../homeserver/access.ts";
import { call as callHomeserver, errcodeOf, pathOf } from "../../homeserver/http.ts";
import { inviteUser, joinRoom, readStateEvent } from "../../homeserver/matrix.ts";
import { isPersonId } from "../../homeserver/people.ts";
import { inviteProblem } from "../room-changes.ts";
import { isAgentUser, serverOf } from "../room-view.ts";
import { oneLine } from "./one-line.ts";
import type { ToolRun } from "./tool.ts";
import { findAgent, findPerson } from "./who.ts";

export interface Invited {
  kind: "agent" | "person";
  userId: string;
  name: string;
}

/** Throws with a sentence when there is nobody called so, or the person may not invite them. */
export async function findInvited(
  { ctx, tenantId, agent: inviter, person }: ToolRun,
  wanted: string,
  room: { federated: boolean },
): Promise<Invited> {
  const serverName = serverOf(inviter.userId);
  const text = wanted.trim();
  const agent = await findAgent(ctx, { tenantId, roomId: "", wanted: text });
  if (agent) {
    const { controlUserId } = await tenantAccess(ctx, tenantId);
    const why = inviteProblem(
      person,
      { name: agent.name, state: agent.state, whoMayInvite: agent.definition.whoMayInvite },
      { serverName, controlUserId },
    );
    if (why) throw new AppError("forbidden", `${why} So it was not invited.`);
    return { kind: "agent", userId: agent.userId, name: agent.name };
  }
  if (/^@[^\s:]+:\S+$/.test(text) && serverOf(text) !== serverName) {
    if (!room.federated)
      throw new AppError(
        "forbidden",
        `${oneLine(text, 255)} is of another server, and this room is only for people of ${serverName}.`,
      );
    return { kind: "person", userId: text, name: text };
  }
  return { kind: "person", ...(await findPerson(ctx, { tenantId, serverName, roomId: null, wanted: text })) };
}

/** Agents come only when people or the control bot invite them: it does so here, for the person who was found to be allowed to. */
export async function invite(call: ToolRun, who: Invited, roomId: string): Promise<void> {
  const { ctx, tenantId, agent } = call;
  const { controlUserId } = await tenantAccess(ctx, tenantId);
  if (who.kind === "person") return await inviteUser(ctx, { tenantId, as: agent.userId, roomId, userId: who.userId });
  try {
    await inviteUser(ctx, { tenantId, as: controlUserId, roomId, userId: who.userId });
  } catch (error) {
    if (errcodeOf(error) !== "M_FORBIDDEN") throw error;
    throw new AppError(
      "forbidden",
      `Agents are invited into this room only by the people in it: somebody there invites ${who.name} from the member list.`,
      { cause: error },
    );
  }
}

/** The agent and its person join a room that the control bot is in. Who is in it stays. */
export async function join({ ctx, tenantId, agent, person }: ToolRun, roomId: string): Promise<void> {
  const { controlUserId: as, serverName } = await tenantAccess(ctx, tenantId);
  const isIn = async (userId: string) =>
    (await readStateEvent(ctx, { tenantId, as, roomId, type: "m.room.member", stateKey: userId }))?.membership ===
    "join";
  if (isAgentUser(agent.userId, { serverName }) && !(await isIn(agent.userId))) {
    await inviteUser(ctx, { tenantId, as, roomId, userId: agent.userId });
    await joinRoom(ctx, { tenantId, as: agent.userId, roomId });
  }
  // Synapse refuses to join one who is in already.
  if (isPersonId(person, serverName) && !(await isIn(person)))
    await callHomeserver(ctx, tenantId, {
      method: "POST",
      path: `/_synapse/admin/v1/join${pathOf(roomId)}`,
      body: { user_id: person },
    });
}

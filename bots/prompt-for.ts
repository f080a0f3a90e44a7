/** What goes to the model of a room, of the agent's instructions and of files: read, chosen and put into its form. */
import type { ModelMessage } from "ai";
import type { Context } from "../core/context.ts";
import type { StepContext } from "../migrations/types.ts";
import { loadAttachments } from "./attachments.ts";
import { mostTokens } from "./model-prompt.ts";
import type { ModelRow } from "./models.ts";
import { distances } from "./positions.ts";
import { foldMessages, inTurns, newestThatFit, type Scene, systemPrompt } from "./prompt.ts";
import { TOOL_RULES } from "./tools/history.ts";
import type { Surroundings, Work } from "./work.ts";

/** Without `messages` there is nothing to ask the model: `remark` is the whole answer. */
export async function promptFor(
  ctx: Context,
  work: Work,
  seen: Surroundings,
  { model, tools }: { model: ModelRow; tools: boolean },
) {
  const nameOf = names(seen);
  const scene = sceneOf(ctx, work, seen, nameOf);
  const heard = foldMessages(seen.messages, {
    threadRoot: work.threadRoot,
    upTo: work.questionSeq,
    self: work.agentUserId,
    nameOf,
  });
  const files = await attachmentsFor(ctx, work, seen, model);
  const remark = files.refused.join("\n\n");
  const onlyFile = heard.at(-1)?.text.startsWith("[sent a file:") && heard.at(-1)?.text.endsWith("]");
  if (remark && onlyFile && files.parts.length + files.texts.length === 0)
    return { system: "", messages: null, remark, sent: undefined };
  const system = tools ? `${systemPrompt(scene)}\n\n${TOOL_RULES}` : systemPrompt(scene);
  const room = model.abilities.contextWindow - Math.min(model.abilities.maxOutput, model.abilities.contextWindow / 2);
  const texts = files.texts.join("\n\n");
  // With tools a third of it is kept for what they return.
  const share = tools ? 0.6 : 0.9;
  const left = Math.floor(room * share) - mostTokens(Buffer.byteLength(system + texts));
  const chosen = newestThatFit(heard, Math.max(left, 500));
  const sent: StepContext = {
    messages: distances(chosen.map((message) => message.position)),
    omitted: heard.length - chosen.length,
    files: files.names,
    contextWindow: model.abilities.contextWindow,
  };
  return { system, messages: withFiles(inTurns(chosen, scene), texts, files.parts), remark, sent };
}

function sceneOf(ctx: Context, work: Work, seen: Surroundings, nameOf: (userId: string) => string): Scene {
  const agents = seen.members.filter((member) => member.agentName && member.userId !== work.agentUserId);
  const functional = new Set(work.roomState?.functionalMembers ?? []);
  const people = seen.members.filter((member) => !member.agentName && !functional.has(member.userId));
  return {
    agentName: work.definition.name,
    agentUserId: work.agentUserId,
    instructions: work.definition.instructions,
    variables: work.definition.variables,
    tenantTitle: work.tenantTitle,
    roomName: work.roomState?.name ?? null,
    people: people.map((member) => nameOf(member.userId)),
    agents: agents.map((member) => nameOf(member.userId)),
    direct: people.length === 1 && agents.length === 0,
    now: new Date(ctx.clock.now()),
  };
}

function withFiles(
  messages: ModelMessage[],
  texts: string,
  parts: Awaited<ReturnType<typeof loadAttachments>>["parts"],
): ModelMessage[] {
  const last = messages.at(-1);
  if ((!texts && parts.length === 0) || last?.role !== "user") return messages;
  const text = [String(last.content), texts].filter(Boolean).join("\n\n");
  return [...messages.slice(0, -1), { role: "user", content: [{ type: "text", text }, ...parts] }];
}

/** Files of the question and of the message that it replies to. */
function attachmentsFor(ctx: Context, work: Work, seen: Surroundings, model: ModelRow) {
  const relation = work.questionContent["m.relates_to"] as { "m.in_reply_to"?: { event_id?: string } } | undefined;
  const repliedTo = seen.messages.find((message) => message.eventId === relation?.["m.in_reply_to"]?.event_id);
  return loadAttachments(ctx, work, model, [...(repliedTo ? [repliedTo.content] : []), work.questionContent]);
}

const names = (seen: Surroundings) => {
  const known = new Map(seen.members.map((member) => [member.userId, member.agentName ?? member.name]));
  return (userId: string) => known.get(userId) ?? userId.slice(1).split(":")[0] ?? userId;
};

/** What the API says of approvals and of what was granted for always. */
import type { ListedGrant } from "../../bots/approvals/grants.ts";
import type { ListedApproval } from "../../bots/approvals/list.ts";
import { alwaysLets } from "../../bots/tools/always.ts";
import { labelsOf } from "../../bots/tools/labels.ts";
import { showableArguments, showableResult, showableSentence } from "../../bots/tools/showable.ts";
import type { Tool } from "../../bots/tools/tool.ts";
import { moment, z } from "./endpoint.ts";
import { iso } from "./iso.ts";
import { matrixTo } from "./teams-views.ts";
import { callState, labelsView } from "./tools-views.ts";

/** Characters of why a call was not done. */
const TROUBLE = 500;

const named = z.object({ id: z.string(), name: z.string() });

const letsView = z.string().openapi({
  description:
    "What `always` lets the agent do, in people's words: send mail from this room without asking again, whoever asks, whatever is in it and to whomever.",
});

export const approvalView = z
  .object({
    id: z.string(),
    kind: z
      .enum(["tool", "input"])
      .openapi({ description: "`tool`: may it be done? `input`: a question, answered by one person." }),
    state: z.enum(["open", "approved", "declined", "answered", "expired", "withdrawn"]),
    run: z.string().nullable().openapi({ description: "Null where whoever asks may not look at it." }),
    agent: named,
    room: z
      .object({ id: z.string(), name: z.string().nullable(), link: z.string() })
      .nullable()
      .openapi({ description: "Null where an agent is tried beside its form, or works for another agent." }),
    tool: z.object({ name: z.string(), title: z.string() }),
    sentence: z.string().nullable().openapi({
      description: "What it wants to do, or the question; exact as the arguments are. Null once erased.",
    }),
    why: z.string().nullable().openapi({ description: "Why it is asked." }),
    arguments: z.record(z.string(), z.unknown()).nullable().openapi({
      description: "Exact for whoever may decide it now; else without what looks like a secret. Null once erased.",
    }),
    labels: labelsView,
    exact: z.boolean().openapi({ description: "The arguments are exactly those of the call." }),
    level: z.number().int().nullable().openapi({ description: "The power level in the room that it takes." }),
    onlyPerson: named.nullable().openapi({ description: "The one person who is asked." }),
    grantable: z.boolean().openapi({ description: "`always` may be said." }),
    lets: letsView,
    always: z.boolean(),
    mayDecide: z.boolean(),
    whyNot: z.string().nullable(),
    createdAt: moment,
    expiresAt: moment,
    decidedAt: moment.nullable(),
    decidedBy: named.nullable(),
    decidedVia: z.enum(["reaction", "reply", "panel"]).nullable(),
    answer: z.string().nullable(),
    call: z
      .object({
        state: callState,
        trouble: z.string().nullable().openapi({ description: "Why it was not done, or what is not known of it." }),
      })
      .openapi({ description: "What became of the call that was asked about." }),
  })
  .openapi("Approval");
export type ApprovalView = z.output<typeof approvalView>;

/** `serverName`: for the link into the room. `tools`: of the client, for titles and schemas. */
export function viewApproval(
  row: ListedApproval,
  { serverName, tools }: { serverName: string; tools: ReadonlyMap<string, Tool> },
): ApprovalView {
  const { runId, opens, agentId, agentName, source: _, roomId, roomName, eventId, sentence, ...facts } = row;
  const { callState: state, trouble, ...rest } = facts;
  const tool = tools.get(row.tool);
  const link = () => {
    const room = matrixTo(roomId, serverName);
    return eventId === null ? room : room.replace("?", `/${encodeURIComponent(eventId)}?`);
  };
  return {
    ...rest,
    run: opens ? runId : null,
    agent: { id: agentId, name: agentName },
    room: roomId.startsWith("!") ? { id: roomId, name: roomName, link: link() } : null,
    tool: { name: row.tool, title: tool?.title ?? row.tool },
    lets: alwaysLets(tool, row.tool),
    sentence:
      sentence === null || row.mayDecide
        ? sentence
        : showableSentence({ ...rest, sentence, args: row.arguments }, tool),
    arguments: row.arguments && (row.mayDecide ? row.arguments : showableArguments(row.arguments, tool?.input)),
    labels: labelsOf(tool),
    exact: row.mayDecide,
    call: { state, trouble: trouble && showableResult(trouble, { args: row.arguments, schema: tool?.input }, TROUBLE) },
    createdAt: iso(row.createdAt),
    expiresAt: iso(row.expiresAt),
    decidedAt: iso(row.decidedAt),
  };
}

export const grantView = z
  .object({
    id: z.string(),
    agent: named,
    room: z.object({ id: z.string(), name: z.string().nullable() }),
    tool: z.object({ name: z.string(), title: z.string() }),
    lets: letsView,
    grantedBy: named,
    createdAt: moment,
  })
  .openapi("Grant");
export type GrantView = z.output<typeof grantView>;

export const viewGrant = (row: ListedGrant, tools: ReadonlyMap<string, Tool>): GrantView => ({
  id: row.id,
  agent: { id: row.agentId, name: row.agentName },
  room: { id: row.roomId, name: row.roomName },
  tool: { name: row.tool, title: tools.get(row.tool)?.title ?? row.tool },
  lets: alwaysLets(tools.get(row.tool), row.tool),
  grantedBy: row.grantedBy,
  createdAt: iso(row.createdAt),
});

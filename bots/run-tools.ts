/** What a run did with tools, as its timeline shows it: without what looks like a secret. */
import type { Context } from "../core/context.ts";
import { nameIn } from "./person-name.ts";
import type { RunState } from "./run-timeline.ts";
import { showable } from "./tools/call-list.ts";
import type { CallState } from "./tools/calls.ts";
import { labelsOf } from "./tools/labels.ts";
import { showableSentence } from "./tools/showable.ts";
import { listTools } from "./tools/sources.ts";
import type { Args, Tool } from "./tools/tool.ts";

/** Moments are milliseconds since 1970. */
export interface TimelineTool {
  id: string;
  /** Which of the model's turns, and which call of that turn. */
  turn: number;
  index: number;
  tool: string;
  title: string;
  group: string;
  state: CallState;
  /** Why it was asked, refused or declined. */
  reason: string | null;
  arguments: Args | null;
  /** What people call its arguments. */
  labels: Record<string, string>;
  result: string | null;
  erased: boolean;
  /** Where its result comes from, when nobody vouches for it. */
  untrusted: string | null;
  tokens: number;
  at: number;
  /** From its begin to its end, without what it waited for people. */
  durationMs: number | null;
  approval: TimelineApproval | null;
  /** Runs that it began: work that was handed over. */
  runs: { id: string; agentName: string; state: RunState }[];
}

export interface TimelineApproval {
  id: string;
  kind: "tool" | "input";
  state: "open" | "approved" | "declined" | "answered" | "expired" | "withdrawn";
  sentence: string | null;
  level: number | null;
  onlyPerson: string | null;
  by: string | null;
  name: string | null;
  via: "reaction" | "reply" | "panel" | null;
  at: number | null;
  answer: string | null;
  expiresAt: number;
}

interface Row extends Omit<TimelineTool, "title" | "labels" | "erased" | "approval" | "runs"> {
  approval: Omit<TimelineApproval, "name"> | null;
  begun: TimelineTool["runs"] | null;
}

/** In the order in which the model asked for them; a run has a few hundred at most. `nameOf`: what people are called. */
export async function readTools(
  ctx: Context,
  run: { id: string; tenantId: string },
): Promise<{ tools: TimelineTool[]; people: string[] }> {
  const rows = await readRows(ctx, run.id);
  if (rows.length === 0) return { tools: [], people: [] };
  const known = await listTools(
    ctx,
    run.tenantId,
    rows.map(({ tool }) => tool),
  );
  const tools = rows.map(({ approval, begun, ...row }): TimelineTool => {
    const tool = known.get(row.tool);
    return {
      ...row,
      title: tool?.title ?? row.tool,
      labels: labelsOf(tool),
      ...showable(row, tool?.input),
      approval: approval && timelineApproval(approval, row, tool),
      runs: begun ?? [],
    };
  });
  const people = rows.flatMap(({ approval }) => [approval?.by, approval?.onlyPerson]);
  return { tools, people: people.filter((id) => typeof id === "string") };
}

function timelineApproval(
  approval: NonNullable<Row["approval"]>,
  { tool: name, arguments: args }: Pick<Row, "tool" | "arguments">,
  tool: Tool | undefined,
): TimelineApproval {
  const { kind, sentence, by } = approval;
  return {
    ...approval,
    sentence: sentence === null ? null : showableSentence({ kind, sentence, tool: name, args }, tool),
    name: by === null ? null : nameIn(by),
  };
}

const readRows = ({ sql }: Context, runId: string) => sql<Row[]>`
  select c.id, c.turn, c.index, c.tool, c.tool_group as "group", c.state, c.reason, c.arguments, c.result, c.untrusted, c.tokens,
    extract(epoch from c.created_at)::float8 * 1000 as at,
    extract(epoch from c.finished_at - coalesce(c.started_at, c.created_at))::float8 * 1000 as "durationMs",
    case when a.id is not null then json_build_object('id', a.id, 'kind', a.kind, 'state', a.state, 'sentence', a.sentence, 'level', a.level,
      'onlyPerson', a.only_person, 'by', a.decided_by, 'via', a.decided_via, 'answer', a.answer,
      'at', extract(epoch from a.decided_at)::float8 * 1000, 'expiresAt', extract(epoch from a.expires_at)::float8 * 1000) end as approval,
    (select json_agg(json_build_object('id', r.id, 'agentName', g.name, 'state', r.state) order by r.created_at)
      from runs r join agents g on g.id = r.agent_id where r.parent_call = c.id) as begun
  from tool_calls c left join approvals a on a.call_id = c.id
  where c.run_id = ${runId} order by c.turn, c.index limit 500`;

/** What stands where in the timeline: model calls, and after each the tools that it asked for. */
export function inOrder<Call extends { at: number }, Tool extends { at: number }>(
  calls: readonly Call[],
  tools: readonly Tool[],
): ({ call: Call; tool?: never } | { tool: Tool; call?: never })[] {
  const left = [...tools];
  return [
    ...calls.flatMap((call) => {
      const before = left.splice(0, left.findLastIndex(({ at }) => at < call.at) + 1);
      return [...before.map((tool) => ({ tool })), { call }];
    }),
    ...left.map((tool) => ({ tool })),
  ];
}

/** What the API says of runs. */
import { nameIn } from "../../bots/person-name.ts";
import type { ListedRun } from "../../bots/run-list.ts";
import type { Timeline } from "../../bots/run-timeline.ts";
import { moment, z } from "./endpoint.ts";
import { iso } from "./iso.ts";
import { callState, labelsView } from "./tools-views.ts";

const STATES = ["queued", "running", "waiting", "done", "stopped", "superseded", "failed"] as const;
const stateView = z.enum(STATES);
const sourceView = z.enum(["room", "try", "task"]);

export const runFilters = {
  agent: z.string().min(1).max(200).optional(),
  room: z.string().min(1).max(300).optional(),
  state: stateView.optional(),
  source: sourceView.optional(),
  from: moment.optional().openapi({ description: "The first moment that is wanted." }),
  to: moment.optional().openapi({ description: "The first moment that is no longer wanted." }),
};

const named = z.object({ id: z.string(), name: z.string() });

export const runItem = z
  .object({
    id: z.string(),
    client: z.object({ id: z.string(), title: z.string() }),
    state: stateView,
    source: sourceView,
    agent: named,
    room: z
      .object({ id: z.string(), name: z.string().nullable() })
      .nullable()
      .openapi({ description: "Null for a try." }),
    askedBy: named,
    createdAt: moment,
    durationMs: z.number().nullable(),
    tokens: z.number().int(),
    error: z.string().nullable(),
  })
  .openapi("Run");
export type RunItem = z.output<typeof runItem>;

export const toRunItem = (run: ListedRun): RunItem => ({
  id: run.id,
  client: { id: run.tenantId, title: run.tenantTitle },
  state: run.state,
  source: run.source,
  agent: { id: run.agentId, name: run.agentName },
  room: run.roomId === null ? null : { id: run.roomId, name: run.roomName },
  askedBy: { id: run.askedBy, name: run.askedByName ?? nameIn(run.askedBy) },
  createdAt: iso(run.createdAt),
  durationMs: run.durationMs,
  tokens: run.tokens,
  error: run.error,
});

const messageView = z.object({
  eventId: z.string(),
  by: z.string(),
  name: z.string(),
  own: z.boolean(),
  at: moment,
  text: z.string().nullable().openapi({ description: "Null: erased, or not for whoever asks." }),
});

const toolView = z.object({
  id: z.string(),
  turn: z.number().int(),
  index: z.number().int(),
  tool: z.string(),
  title: z.string(),
  group: z.string(),
  state: callState,
  reason: z.string().nullable(),
  arguments: z.record(z.string(), z.unknown()).nullable(),
  labels: labelsView,
  result: z.string().nullable(),
  erased: z.boolean(),
  untrusted: z.string().nullable().openapi({ description: "Where its result comes from when nobody vouches for it." }),
  tokens: z.number().int(),
  at: moment,
  durationMs: z.number().nullable(),
  approval: z
    .object({
      id: z.string(),
      kind: z.enum(["tool", "input"]),
      state: z.enum(["open", "approved", "declined", "answered", "expired", "withdrawn"]),
      sentence: z.string().nullable(),
      level: z.number().int().nullable(),
      onlyPerson: z.string().nullable().openapi({ description: "What the one person who is asked is called." }),
      name: z.string().nullable().openapi({ description: "Who decided." }),
      via: z.enum(["reaction", "reply", "panel"]).nullable(),
      at: moment.nullable(),
      answer: z.string().nullable(),
      expiresAt: moment,
    })
    .nullable(),
  runs: z
    .array(z.object({ id: z.string(), agentName: z.string(), state: stateView }))
    .openapi({ description: "Runs that it began." }),
});

export const runView = z
  .object({
    id: z.string(),
    state: stateView,
    source: sourceView,
    again: z.number().int().openapi({ description: "How often it was asked again before." }),
    agent: z.object({
      id: z.string(),
      name: z.string(),
      state: z.string(),
      version: z.number().int(),
      userId: z.string(),
    }),
    room: z.object({ id: z.string(), name: z.string().nullable(), link: z.string() }).nullable(),
    question: z.object({
      eventId: z.string(),
      by: z.string(),
      name: z.string(),
      at: moment,
      text: z.string().nullable(),
      link: z.string().nullable().openapi({ description: "A matrix.to link, which Element opens." }),
    }),
    context: z
      .object({
        hidden: z.boolean().openapi({ description: "Whoever asks may not see what else was said." }),
        instructions: z.string().nullable(),
        messages: z.array(messageView),
        omitted: z.number().int().openapi({ description: "Older messages that did not fit." }),
        files: z.array(z.string()),
        contextWindow: z.number().int(),
      })
      .nullable(),
    calls: z.array(
      z.object({
        id: z.string(),
        model: z.string(),
        state: z.enum(["open", "ok", "aborted", "failed", "lost"]),
        inputTokens: z.number().int(),
        outputTokens: z.number().int(),
        cachedTokens: z.number().int(),
        reasoningTokens: z.number().int(),
        estimated: z.boolean(),
        firstTokenMs: z.number().nullable(),
        durationMs: z.number().nullable(),
        result: z.string().nullable(),
        at: moment,
      }),
    ),
    tools: z.array(toolView).openapi({ description: "What it did with tools, without what looks like a secret." }),
    untrusted: z.string().nullable().openapi({
      description: "What it has read that nobody vouches for: from then on nothing goes outside without approval.",
    }),
    parent: z
      .object({ id: z.string(), agentName: z.string() })
      .nullable()
      .openapi({ description: "The run that handed this work over." }),
    attempts: z.number().int(),
    edits: z.number().int(),
    answer: z.object({
      text: z.string().nullable(),
      messages: z.array(z.object({ eventId: z.string(), link: z.string().nullable() })),
    }),
    error: z.object({ code: z.string().nullable(), sentence: z.string() }).nullable(),
    stop: z.object({ reason: z.string(), by: z.string().nullable(), name: z.string().nullable() }).nullable(),
    moments: z.array(
      z.object({
        what: z.enum(["asked", "routed", "started", "first_text", "finished"]),
        at: moment,
        sinceMs: z.number(),
      }),
    ),
    feedback: z.array(z.object({ by: z.string(), name: z.string(), value: z.number().int(), at: moment })),
    others: z.array(z.object({ id: z.string(), state: stateView, again: z.number().int() })),
  })
  .openapi("RunTimeline");
export type RunView = z.output<typeof runView>;

/**
 * `all` false: for the person who asked and may not read runs. They see their question and its answer, not the instructions and not
 * what else was said in the room, where they may have been for a shorter time than the agent.
 */
export function toRunView(run: Timeline, { all }: { all: boolean }): RunView {
  return {
    ...run,
    question: { ...run.question, at: iso(run.question.at) },
    context: run.context && {
      ...run.context,
      hidden: !all,
      instructions: all ? run.context.instructions : null,
      messages: all ? run.context.messages.map((message) => ({ ...message, at: iso(message.at) })) : [],
      files: all ? run.context.files : [],
    },
    calls: run.calls.map((call) => ({ ...call, at: iso(call.at) })),
    tools: run.tools.map(({ approval, ...tool }) => ({
      ...tool,
      at: iso(tool.at),
      approval: approval && { ...approval, at: iso(approval.at), expiresAt: iso(approval.expiresAt) },
    })),
    moments: run.moments.map((one) => ({ ...one, at: iso(one.at) })),
    feedback: run.feedback.map((one) => ({ ...one, at: iso(one.at) })),
  };
}

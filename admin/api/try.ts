/** Trying an agent beside the form in which it is made. */
import { streamSSE } from "hono/streaming";
import { checkDefinition } from "../../bots/definition.ts";
import { askTry, isOpen, openTry, readTry, stopTry, type TryState } from "../../bots/try.ts";
import { tryRoom } from "../../bots/try-outlet.ts";
import { CHANNELS, type Context } from "../../core/context.ts";
import { definitionBody } from "./agents-views.ts";
import { byline } from "./caller.ts";
import { type Endpoint, endpoint, z } from "./endpoint.ts";
import type { ApiDeps } from "./list.ts";

const HEARTBEAT_MS = 15_000;
/** NOTIFY says when to look; while an answer is open, one that was lost costs no more than this. */
const LOOK_AGAIN_MS = 2000;

const CHAT = "/clients/{client}/try/{chat}";

const questionBody = z.object({
  text: z.string().min(1, { message: "Write something for the agent to answer." }).max(20_000),
  definition: definitionBody,
});

export const tryEndpoints = (_ctx: Context, deps: ApiDeps): Endpoint[] => [
  endpoint(
    {
      method: "post",
      path: "/clients/{client}/agents/{agent}/try",
      action: "agents.try",
      // Nothing that anybody else sees is changed by a chat of one's own.
      auditAs: null,
      tag: "runs",
      summary: "Open a chat to try an agent in, a draft too",
      answer: z.object({ chat: z.string() }),
      status: 201,
      creates: true,
    },
    async ({ ctx, caller, params }) => {
      const { id } = await openTry(ctx, { tenantId: params.client, agentId: params.agent, by: byline(caller) });
      return { chat: id };
    },
  ),
  endpoint(
    {
      method: "post",
      path: `${CHAT}/messages`,
      action: "agents.try",
      auditAs: null, // as above; the run is in the list of runs
      tag: "runs",
      summary: "Ask in the chat; the agent answers by the definition that is sent",
      body: questionBody,
      answer: z.object({ run: z.string() }),
      status: 201,
      creates: true,
    },
    async ({ ctx, caller, params, body }) => {
      const definition = checkDefinition(body.definition, { whole: true });
      const by = byline(caller);
      return await askTry(ctx, { tenantId: params.client, chatId: params.chat, text: body.text, definition, by });
    },
  ),
  endpoint(
    {
      method: "post",
      path: `${CHAT}/stop`,
      action: "agents.try",
      auditAs: null, // as above
      tag: "runs",
      summary: "End the answer under way with what is written so far",
      answer: z.object({ stopping: z.boolean() }),
    },
    async ({ ctx, caller, params }) => ({
      stopping: await stopTry(ctx, { tenantId: params.client, chatId: params.chat, by: byline(caller) }),
    }),
  ),
  endpoint(
    {
      method: "get",
      path: `${CHAT}/events`,
      action: "agents.try",
      tag: "runs",
      summary:
        "The chat as it is and as it grows. Each event `run` has `{run, question, state, text, error, approvals, done}`, where `approvals` are what it asks before it goes on (decided under `/approvals`); the first ones say all of it",
      answer: "stream",
    },
    async ({ ctx, caller, params, http }) => {
      const chat = { tenantId: params.client, chatId: params.chat, by: byline(caller) };
      // Before the stream begins, so that a chat that is over is a 404.
      const first = await readTry(ctx, chat);
      return streamSSE(http, (stream) => follow(ctx, deps, { chat, first, stream }));
    },
  ),
];

type Stream = Parameters<Parameters<typeof streamSSE>[1]>[0];

interface Following {
  chat: { tenantId: string; chatId: string; by: string };
  first: TryState[];
  stream: Stream;
}

/** Sends what changed since it was last sent, until the reader goes. */
async function follow(ctx: Context, { wake }: ApiDeps, { chat, first, stream }: Following): Promise<void> {
  const sent = new Map<string, string>();
  const bell = createBell();
  const off = wake.on(CHANNELS.try, (id) => (id === "" || id === chat.chatId) && bell.ring());
  stream.onAbort(bell.ring);
  let spokenAt = performance.now();
  try {
    for (let states = first; !stream.aborted; states = await readTry(ctx, chat)) {
      for (const state of states) {
        const data = JSON.stringify({ ...state, done: !isOpen(state.state) });
        if (sent.get(state.run) === data) continue;
        sent.set(state.run, data);
        await stream.writeSSE({ event: "run", id: state.run, data });
        spokenAt = performance.now();
      }
      const open = states.some(({ state }) => isOpen(state));
      await bell.rung(open ? LOOK_AGAIN_MS : HEARTBEAT_MS);
      if (performance.now() - spokenAt < HEARTBEAT_MS) continue;
      await stream.write(": still here\n\n");
      spokenAt = performance.now();
    }
  } catch (error) {
    // The browser connects again and is told all of it anew.
    ctx.log.warn({ err: error, room: tryRoom(chat.chatId) }, "a chat could not be followed any longer");
  } finally {
    off();
  }
}

/** A ring between two waits is not lost. */
function createBell(): { ring(): void; rung(longestMs: number): Promise<void> } {
  let pending = false;
  let answer: (() => void) | undefined;
  return {
    ring() {
      pending = true;
      answer?.();
    },
    async rung(longestMs) {
      if (!pending)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, longestMs);
          answer = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      pending = false;
      answer = undefined;
    },
  };
}

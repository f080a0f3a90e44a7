/** The live stream: which topics changed. What they hold is asked for as ever, so no right is given away here. */
import { streamSSE } from "hono/streaming";
import type { Context } from "../../core/context.ts";
import type { Caller } from "./caller.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import type { ApiDeps } from "./list.ts";
import type { Change } from "./live.ts";

const HEARTBEAT_MS = 20_000;
/** Changes that come together are told together. */
const GATHER_MS = 150;

export const eventEndpoints = (_ctx: Context, { live }: ApiDeps): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: "/events",
      action: "signed_in",
      tag: "session",
      summary: "Which topics change, as they change",
      answer: "stream",
    },
    async ({ caller, http }) =>
      streamSSE(http, async (stream) => {
        const waiting = new Map<string, Change>();
        let wake: () => void = () => undefined;
        const off = live.listen((change) => {
          if (!concerns(caller, change)) return;
          waiting.set(JSON.stringify(change), change);
          wake();
        });
        stream.onAbort(() => {
          off();
          wake();
        });
        await stream.writeSSE({ event: "listening", data: "{}" });
        while (!stream.aborted) {
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, HEARTBEAT_MS);
            wake = () => {
              clearTimeout(timer);
              resolve();
            };
            if (waiting.size > 0 || stream.aborted) wake();
          });
          if (waiting.size > 0) await stream.sleep(GATHER_MS);
          const changes = [...waiting.values()];
          waiting.clear();
          if (changes.length === 0) await stream.write(": still here\n\n");
          for (const change of changes) await stream.writeSSE({ event: "changed", data: JSON.stringify(change) });
        }
        off();
      }),
  ),
];

/** People hear of their own client only. */
const concerns = (caller: Caller, { client }: Change): boolean =>
  caller.role === "operator" || client === null || client === caller.tenantId;

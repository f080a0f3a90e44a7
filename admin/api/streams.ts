/** Streams stay open for hours: they end with the right that opened them, and nobody opens them without end. */
import { AppError } from "../../core/errors.ts";

/** A browser has six for one address; somebody may have several. */
const MOST = 30;
const LOOK_MS = 30_000;

export interface Streams {
  /** Throws `too_many` when this account has as many as it may. `still`: whether whoever reads may still do so. */
  keep(account: string, still: () => Promise<boolean>, response: Response): Response;
}

export function openStreams({ most = MOST, lookMs = LOOK_MS }: { most?: number; lookMs?: number } = {}): Streams {
  const open = new Map<string, number>();
  const count = (account: string, by: 1 | -1) => {
    const now = (open.get(account) ?? 0) + by;
    if (now > 0) open.set(account, now);
    else open.delete(account);
  };
  return {
    keep(account, still, response) {
      if (!response.body) return response;
      if ((open.get(account) ?? 0) >= most) {
        response.body.cancel().catch(() => {
          // Nobody has read from it.
        });
        throw new AppError("too_many", "You have too many pages open at once. Close some of them and try again.");
      }
      count(account, 1);
      const body = watched(response.body, { still, lookMs, over: () => count(account, -1) });
      return new Response(body, { status: response.status, headers: response.headers });
    },
  };
}

interface Watch {
  still: () => Promise<boolean>;
  lookMs: number;
  /** Called once, when the stream is over. */
  over: () => void;
}

/** The same stream, which ends when `still` says no. */
function watched(source: ReadableStream<Uint8Array>, { still, lookMs, over }: Watch): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const end = (): boolean => {
    if (ended) return false;
    ended = true;
    clearInterval(timer);
    over();
    return true;
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      timer = setInterval(() => {
        void still().then((may) => {
          if (may || !end()) return;
          controller.close();
          void reader.cancel();
        });
      }, lookMs);
    },
    async pull(controller) {
      try {
        const { value, done } = await reader.read();
        if (ended) return;
        if (!done) controller.enqueue(value);
        else if (end()) controller.close();
      } catch (error) {
        if (end()) controller.error(error);
      }
    },
    async cancel(reason) {
      end();
      await reader.cancel(reason);
    },
  });
}

/** The live stream of the platform: tells open pages what to look at again, and notices when the platform is away. */
import { useSyncExternalStore } from "react";
import { get, isAbout, Problem } from "./api.ts";
import { lookAgain } from "./queries.ts";

/** `away`: nothing answers, tries go on. `signed_out`: it answers, but not to us. */
export type LiveState = "connecting" | "connected" | "away" | "signed_out";

const TRY_AGAIN_MS = [500, 1000, 2000, 3000];
const SIGNED_OUT_MS = 30_000;
/** How long a hidden tab keeps its connection: a browser has only six for one address. */
const HIDDEN_MS = 20_000;

let state: LiveState = "connecting";
let source: EventSource | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let hiding: ReturnType<typeof setTimeout> | undefined;
let tries = 0;
const watchers = new Set<() => void>();

/** Whether changes are heard. */
export const useLive = (): LiveState =>
  useSyncExternalStore(
    (changed) => {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
    () => state,
  );

/** Begins to listen; called once somebody is signed in. Returns what ends it. */
export function listenLive(): () => void {
  const seen = () => (document.hidden ? hide() : show());
  document.addEventListener("visibilitychange", seen);
  connect();
  return () => {
    document.removeEventListener("visibilitychange", seen);
    disconnect();
  };
}

/** Tries now: somebody signed in again. */
export function reconnectLive(): void {
  disconnect();
  connect();
}

function hide(): void {
  hiding ??= setTimeout(disconnect, HIDDEN_MS);
}

function show(): void {
  clearTimeout(hiding);
  hiding = undefined;
  if (!source && !timer) connect();
}

function disconnect(): void {
  clearTimeout(timer);
  clearTimeout(hiding);
  timer = hiding = undefined;
  source?.close();
  source = undefined;
}

function connect(): void {
  timer = undefined;
  const stream = new EventSource("/api/v1/events");
  source = stream;
  stream.addEventListener("listening", () => {
    tries = 0;
    say("connected");
    // What changed before is not told again, and what is shown was asked for before.
    lookAgain(() => true);
  });
  stream.addEventListener("changed", (event) =>
    changed(JSON.parse(event.data) as { topic: string | null; client: string | null }),
  );
  stream.addEventListener("error", () => void lost(stream));
}

// The browser's own reconnecting gives up at the first 503, as a starting platform answers: we try ourselves.
async function lost(stream: EventSource): Promise<void> {
  stream.close();
  if (source !== stream) return;
  source = undefined;
  const signedOut = await isSignedOut();
  if (source || timer) return;
  say(signedOut ? "signed_out" : "away");
  const wait = signedOut ? SIGNED_OUT_MS : TRY_AGAIN_MS[Math.min(tries, TRY_AGAIN_MS.length - 1)];
  tries += 1;
  timer = setTimeout(connect, wait);
}

async function isSignedOut(): Promise<boolean> {
  try {
    await get("/me", {}, { strangerToo: true });
    return false;
  } catch (error) {
    return error instanceof Problem && error.status === 401;
  }
}

/** Every change is a line of the log. Without a topic anything may have changed. */
function changed({ topic, client }: { topic: string | null; client: string | null }): void {
  const about = topic === null ? [] : [isAbout(topic, client), isAbout("audit", client)];
  lookAgain((query) => topic === null || about.some((is) => is(query)));
}

function say(next: LiveState): void {
  if (state === next) return;
  state = next;
  for (const watcher of watchers) watcher();
}

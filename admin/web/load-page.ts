/** Loads a page's code; a platform that does not answer is waited for inside of the frame, the document stays. */
import { type ComponentType, createElement, use, useSyncExternalStore } from "react";
import { get, Problem } from "./api.ts";

type Code<Props> = { default: ComponentType<Props> };

export type LazyPage<Props = object> = ComponentType<Props> & {
  /** Fetches the code before somebody asks for it; without the platform it is fetched when it is asked for. Never rejects. */
  ahead(): Promise<void>;
};

const TRY_AGAIN_MS = [500, 1000, 2000, 3000];
const RELOADED = "agentopia-reloaded";

let waiting = 0;
const watchers = new Set<() => void>();

/** Whether a page's code waits for the platform. */
export const useCodeIsLate = (): boolean =>
  useSyncExternalStore(
    (changed) => {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
    () => waiting > 0,
  );

/**
 * Like React's `lazy`, for a platform that comes and goes. Code that is here already is drawn at once: `lazy` would suspend all the same, and what React
 * shows meanwhile stands for 300 ms.
 */
export function lazyPage<Props extends object = object>(load: () => Promise<Code<Props>>): LazyPage<Props> {
  let component: ComponentType<Props> | undefined;
  let coming: Promise<void> | undefined;
  const keep = (code: Code<Props>) => {
    component = code.default;
  };
  function Page(props: Props) {
    if (!component) {
      coming ??= load()
        .catch((error: unknown) => whenItAnswers(load, error))
        .then(keep);
      use(coming);
    }
    return component ? createElement(component, props) : null;
  }
  return Object.assign(Page, {
    async ahead() {
      try {
        keep(await load());
      } catch (error) {
        console.info(error); // Only a head start is lost.
      }
    },
  });
}

/** Tries until it is there. What is not there although the platform answers went with an old build: the document is loaded anew. */
async function whenItAnswers<T>(load: () => Promise<T>, first: unknown): Promise<T> {
  console.info(first);
  count(1);
  try {
    let missed = 0;
    for (let tries = 0; ; tries += 1) {
      try {
        if (await platformAnswers()) return await load();
      } catch (error) {
        missed += 1; // perhaps it went away again between the two
        if (missed === 2) return await loadAnew(error);
      }
      const wait = TRY_AGAIN_MS[Math.min(tries, TRY_AGAIN_MS.length - 1)];
      await new Promise((done) => setTimeout(done, wait));
    }
  } finally {
    count(-1);
  }
}

async function platformAnswers(): Promise<boolean> {
  try {
    await get("/me", {}, { strangerToo: true });
    return true;
  } catch (error) {
    return error instanceof Problem && error.status > 0 && error.status < 500;
  }
}

/** Once a minute at most: a page that cannot be loaded at all is said to be broken. */
function loadAnew(error: unknown): Promise<never> {
  const last = Number(sessionStorage.getItem(RELOADED));
  if (Date.now() - last < 60_000) throw error;
  sessionStorage.setItem(RELOADED, String(Date.now()));
  location.reload();
  return new Promise(() => undefined); // the document goes
}

function count(more: number): void {
  waiting += more;
  for (const watcher of watchers) watcher();
}

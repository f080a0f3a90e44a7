/** The panel's only way to the platform: its HTTP API, with the session's cookie. */
import {
  type InfiniteData,
  type UseMutationResult,
  type UseQueryResult,
  useInfiniteQuery,
  useMutation,
  useQuery,
} from "@tanstack/react-query";
import { saidDone, saidTrouble } from "./parts/said.tsx";
import { Problem } from "./problem.ts";
import { lookAgain } from "./queries.ts";
import { signInAgain } from "./sign-in-again.ts";
import { texts } from "./texts.ts";
import type { Topic, Topics } from "./topics.ts";

export { fieldErrors, Problem, sentenceOf } from "./problem.ts";

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface SendOptions {
  /** Makes a creation that is sent twice happen once. One is made for every `post`; give your own to send the same again later. */
  idempotencyKey?: string;
  signal?: AbortSignal;
  /** For what asks who is there: a 401 is thrown, nobody is asked to sign in. */
  strangerToo?: boolean;
}

/** The address of an API path with its query, for links and images. */
export function apiUrl(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== "") search.set(name, String(value));
  const text = search.toString();
  return `/api/v1${path}${text ? `?${text}` : ""}`;
}

export const get = <T>(path: string, query?: Query, options?: SendOptions): Promise<T> =>
  send<T>("GET", apiUrl(path, query), undefined, options);
export const post = <T = void>(path: string, body?: unknown, options?: SendOptions): Promise<T> =>
  send<T>("POST", apiUrl(path), body, { idempotencyKey: crypto.randomUUID?.() ?? randomKey(), ...options });
export const put = <T = void>(path: string, body?: unknown, options?: SendOptions): Promise<T> =>
  send<T>("PUT", apiUrl(path), body, options);
export const patch = <T = void>(path: string, body?: unknown, options?: SendOptions): Promise<T> =>
  send<T>("PATCH", apiUrl(path), body, options);
export const del = <T = void>(path: string, body?: unknown, options?: SendOptions): Promise<T> =>
  send<T>("DELETE", apiUrl(path), body, options);

// Over plain HTTP by another name than localhost, browsers have no randomUUID.
const randomKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");

async function send<T>(method: string, url: string, body: unknown, options: SendOptions = {}): Promise<T> {
  const response = await once(method, url, body, options);
  if (response.status === 401 && !options.strangerToo) {
    const answer = await problemOf(response);
    // Nothing typed is lost: the same request goes out again as soon as the same person is back.
    if (!(await signInAgain())) throw answer;
    return await answerOf<T>(await once(method, url, body, options));
  }
  return await answerOf<T>(response);
}

async function once(method: string, url: string, body: unknown, options: SendOptions): Promise<Response> {
  const plain = body instanceof Blob;
  const headers: Record<string, string> = { accept: "application/json" };
  if (body !== undefined && !plain) headers["content-type"] = "application/json";
  if (plain && body.type) headers["content-type"] = body.type;
  if (options.idempotencyKey) headers["idempotency-key"] = options.idempotencyKey;
  try {
    return await fetch(url, {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      body: body === undefined ? null : plain ? body : JSON.stringify(body),
      signal: options.signal ?? null,
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem({ status: 0, code: "unreachable", detail: texts.shell.unreachable });
  }
}

async function answerOf<T>(response: Response): Promise<T> {
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined as T;
  const type = response.headers.get("content-type") ?? "";
  return (type.includes("json") ? await response.json() : await response.text()) as T;
}

async function problemOf(response: Response): Promise<Problem> {
  const { status } = response;
  if ((response.headers.get("content-type") ?? "").includes("json")) {
    const facts = (await response.json()) as { code?: string; title?: string; detail?: string };
    if (typeof facts.detail === "string")
      return new Problem({ ...facts, status, code: facts.code ?? String(status), detail: facts.detail });
  }
  // Not from the API: the platform while it starts, or something in between.
  const detail = status >= 500 ? texts.shell.unreachable : texts.shell.strangeAnswer(status);
  return new Problem({ status, code: status >= 500 ? "unreachable" : String(status), detail });
}

/** Whether waiting helps: the platform is away or busy. */
const passes = (error: unknown) => error instanceof Problem && [0, 502, 503, 504].includes(error.status);
const retry = (count: number, error: unknown) => passes(error) && count < 3;

/** One answer of the API; looks again when something changes under its topic. `path: null` asks nothing yet. */
export function useGet<T>(topic: Topics, path: string | null, query?: Query): UseQueryResult<T, Error> {
  return useQuery<T, Error>({
    queryKey: [topic, path, query ?? {}],
    queryFn: ({ signal }) => get<T>(path ?? "", query, { signal }),
    enabled: path !== null,
    retry,
  });
}

export interface PageOf<T> {
  items: T[];
  next: string | null;
}

/** A list of the API, page by page. */
export interface Pages<T, More = unknown> {
  items: T[];
  /** The first page as it came, with what it says besides its items. */
  first: (PageOf<T> & More) | undefined;
  /** The first page is on its way. */
  loading: boolean;
  error: Error | null;
  hasMore: boolean;
  loadingMore: boolean;
  more(): void;
  again(): void;
}

export function usePages<T, More = unknown>(topic: Topics, path: string | null, query?: Query): Pages<T, More> {
  type Page = PageOf<T> & More;
  const result = useInfiniteQuery<Page, Error, InfiniteData<Page>, readonly unknown[], string | undefined>({
    queryKey: [topic, path, query ?? {}, "pages"],
    queryFn: ({ signal, pageParam }) => get<Page>(path ?? "", { ...query, cursor: pageParam }, { signal }),
    initialPageParam: undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    // While a filter changes, the list before stays; another client's is never shown.
    placeholderData: (before, query) => (query?.queryKey[1] === path ? before : undefined),
    enabled: path !== null,
    retry,
  });
  return {
    items: result.data?.pages.flatMap((page) => page.items) ?? [],
    first: result.data?.pages[0],
    loading: result.isPending,
    error: result.error,
    hasMore: result.hasNextPage,
    loadingMore: result.isFetchingNextPage,
    more: () => void result.fetchNextPage(),
    again: () => void result.refetch(),
  };
}

export interface AfterSend<Input, Answer> {
  /** What to look at again, besides what the live stream says. */
  topics?: readonly Topic[];
  /** Said in a notification when it is done. */
  said?: string | ((answer: Answer, input: Input) => string);
  onDone?: (answer: Answer, input: Input) => void;
  /** The page shows `error` itself (a form): no notification. */
  inline?: boolean;
}

/** A change: `const rename = useSend((title: string) => patch(…, { title }), { topics: ["teams"], said: … })`; `rename.mutate(…)`. */
export function useSend<Input, Answer>(
  send: (input: Input) => Promise<Answer>,
  after: AfterSend<Input, Answer> = {},
): UseMutationResult<Answer, Error, Input> {
  return useMutation<Answer, Error, Input>({
    mutationFn: send,
    onSuccess: (answer, input) => {
      for (const topic of after.topics ?? []) lookAgain(isAbout(topic));
      if (after.said) saidDone(typeof after.said === "string" ? after.said : after.said(answer, input));
      after.onDone?.(answer, input);
    },
    onError: (error) => {
      if (!after.inline) saidTrouble(error);
    },
  });
}

/** Whether a query's facts are about this topic (and this client, when one is named). */
export const isAbout =
  (topic: string, client: string | null = null) =>
  ({ queryKey: [topics, path] }: { queryKey: readonly unknown[] }): boolean => {
    const about = Array.isArray(topics) ? topics.includes(topic) : topics === topic;
    if (!about || client === null || typeof path !== "string") return about;
    const named = /^\/clients\/([^/?]+)/.exec(path)?.[1];
    return named === undefined || decodeURIComponent(named) === client;
  };

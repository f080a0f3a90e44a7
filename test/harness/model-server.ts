import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Behaviour, behaviourOf, type Failure, markerOf, pieces } from "./model-script.ts";
import { type ChatMessage, type Usage, type WantedCall, type Wire, wireOf } from "./model-wire.ts";

/** One request that the scripted model got; it goes on being filled in until `endedAt` is set. */
export interface ModelRequest {
  path: string;
  model: string;
  streamed: boolean;
  authorization: string | undefined;
  messages: ChatMessage[];
  /** Text of the last message from a user, and the marker in it. */
  question: string;
  /** Names of the tools that it is offered, and what the tools that it called since then returned. */
  tools: string[];
  results: string[];
  marker: string | undefined;
  body: Record<string, unknown>;
  /** Milliseconds on the clock of `performance.now()`. */
  startedAt: number;
  firstPieceAt?: number;
  endedAt?: number;
  held: boolean;
  /** The caller hung up before the end. */
  aborted: boolean;
}

/** A model server that speaks the wire formats of the providers and does what a test tells it to. */
export interface ModelServer {
  /** `http://127.0.0.1:port`; the OpenAI-compatible API is under `/v1`. */
  url: string;
  requests: ModelRequest[];
  /** Decides before the directives in the question do; `undefined` leaves it to them. Replaces an earlier script. */
  script(decide: ((request: ModelRequest) => Behaviour | undefined) | undefined): void;
  /** From now on every answer waits before its first token, until `release`. */
  hold(): void;
  /** Lets the held ones go, and those that come. */
  release(): void;
  /** Requests that wait in a hold now. */
  heldNow(): ModelRequest[];
  asked(marker: string): ModelRequest[];
  /** Resolves when `condition` holds; looks again at each change. Rejects after `timeoutMs` with what was seen. */
  until(condition: (server: ModelServer) => boolean, what: string, timeoutMs?: number): Promise<void>;
  stop(): Promise<void>;
}

interface Inside {
  requests: ModelRequest[];
  decide: ((request: ModelRequest) => Behaviour | undefined) | undefined;
  holding: boolean;
  /** How often `release` was called. */
  releases: number;
  failures: Map<string, number>;
  listeners: Set<() => void>;
}

/** Starts it on a loopback port (a free one by default). */
export async function startModelServer(options: { port?: number } = {}): Promise<ModelServer> {
  const inside: Inside = {
    requests: [],
    decide: undefined,
    holding: false,
    releases: 0,
    failures: new Map(),
    listeners: new Set(),
  };
  const http = createServer((request, response) => {
    answer(inside, request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  http.keepAliveTimeout = 60_000;
  http.listen(options.port ?? 0, "127.0.0.1");
  await once(http, "listening");
  const changed = () => notify(inside);
  const server: ModelServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    requests: inside.requests,
    script: (decide) => {
      inside.decide = decide;
    },
    hold: () => {
      inside.holding = true;
    },
    release: () => {
      inside.holding = false;
      inside.releases++;
      changed();
    },
    heldNow: () => inside.requests.filter((request) => request.held),
    asked: (marker) => inside.requests.filter((request) => request.marker === marker),
    until: (condition, what, timeoutMs = 20_000) => until(inside, () => condition(server), what, timeoutMs),
    stop: async () => {
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
  return server;
}

const notify = (inside: Inside) => {
  for (const listener of [...inside.listeners]) listener();
};

function until(inside: Inside, condition: () => boolean, what: string, timeoutMs: number): Promise<void> {
  if (condition()) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const end = (error?: Error) => {
      clearTimeout(timer);
      inside.listeners.delete(look);
      if (error) reject(error);
      else resolve();
    };
    const look = () => condition() && end();
    const seen = () => inside.requests.slice(-10).map((request) => request.marker ?? request.question.slice(0, 40));
    const timer = setTimeout(
      () =>
        end(
          new Error(
            `The model server waited ${timeoutMs} ms for ${what}; last asked: ${seen().join(", ") || "nothing"}.`,
          ),
        ),
      timeoutMs,
    );
    inside.listeners.add(look);
  });
}

async function answer(inside: Inside, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (incoming.url ?? "/").split("?")[0] ?? "/";
  if (incoming.method === "GET" && /\/(models|tags)$/.test(path)) return json(response, 200, modelList(path));
  const wire = wireOf(path);
  if (incoming.method !== "POST" || !wire)
    return json(response, 404, { error: { message: `No such address: ${path}` } });
  const request = record(inside, path, incoming, wire, JSON.parse(await readAll(incoming)) as Record<string, unknown>);
  response.on("close", () => {
    request.aborted = !response.writableFinished && !response.locals;
    request.held = false;
    request.endedAt = performance.now();
    notify(inside);
  });
  await perform(inside, request, wire, response);
}

declare module "node:http" {
  interface ServerResponse {
    /** Set when it was us who cut the connection. */
    locals?: "cut";
  }
}

function record(
  inside: Inside,
  path: string,
  incoming: IncomingMessage,
  wire: Wire,
  body: Record<string, unknown>,
): ModelRequest {
  const messages = wire.read(body);
  const question = messages.findLast((message) => message.role === "user")?.text ?? "";
  const results = wire.results(body);
  const request: ModelRequest = {
    path,
    model: String(body.model ?? /models\/([^:]+):/.exec(path)?.[1] ?? ""),
    streamed: wire.streams(path, body),
    authorization: incoming.headers.authorization,
    messages,
    question,
    tools: wire.tools(body),
    results,
    marker: markerOf(question),
    body,
    startedAt: performance.now(),
    held: false,
    aborted: false,
  };
  inside.requests.push(request);
  notify(inside);
  return request;
}

/** True while a behaviour with `times` still has failures to make for this marker. */
function failsNow(inside: Inside, request: ModelRequest, behaviour: Behaviour): boolean {
  if (behaviour.times === undefined) return true;
  const key = request.marker ?? request.question;
  const before = inside.failures.get(key) ?? 0;
  inside.failures.set(key, before + 1);
  return before < behaviour.times;
}

async function perform(inside: Inside, request: ModelRequest, wire: Wire, response: ServerResponse): Promise<void> {
  const decided = inside.decide?.(request) ?? behaviourOf(request.question);
  const fine = { ...decided, fail: undefined, silentAfter: undefined, cutAfter: undefined };
  const behaviour: Behaviour = failsNow(inside, request, decided) ? decided : fine;
  if (behaviour.fail) return failWith(wire, request, behaviour.fail, response);
  if (behaviour.hold || inside.holding) await held(inside, request, response, behaviour.hold === true);
  if (behaviour.firstTokenMs) await sleep(behaviour.firstTokenMs);
  if (response.destroyed) return;
  const call = behaviour.turns?.[request.results.length];
  const calls = behaviour.calls ?? (call ? [call] : []);
  const said = behaviour.sayResults ? request.results.join("\n") : (behaviour.text ?? "");
  const text = call ? "" : said;
  const usage: Usage = {
    input: Math.ceil(JSON.stringify(request.messages).length / 4),
    output: Math.ceil(text.length / 4),
  };
  if (request.streamed)
    await stream({ request, wire, response, firstPiece: () => notify(inside), calls }, { ...behaviour, text }, usage);
  else json(response, 200, wire.whole(request.model, text, usage));
}

async function held(inside: Inside, request: ModelRequest, response: ServerResponse, own: boolean): Promise<void> {
  const releasesBefore = inside.releases;
  const waiting = () => inside.holding || (own && inside.releases === releasesBefore);
  request.held = true;
  notify(inside);
  await until(inside, () => response.destroyed || !waiting(), "release()", 600_000);
  request.held = false;
}

interface Streaming {
  request: ModelRequest;
  wire: Wire;
  response: ServerResponse;
  calls: WantedCall[];
  firstPiece(): void;
}

async function stream(streaming: Streaming, behaviour: Behaviour, usage: Usage): Promise<void> {
  const { request, wire, response } = streaming;
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.write(wire.open(request.model));
  const parts = behaviour.text === "" ? [] : pieces(behaviour.text ?? "", behaviour.chunks ?? 1);
  const calls = streaming.calls.map(({ tool, args }, index) => ({
    id: `call_${request.results.length}_${index}`,
    tool,
    args,
    input: typeof args === "string" ? args : JSON.stringify(args),
  }));
  const began = performance.now();
  for (const [index, part] of parts.entries()) {
    if (index === behaviour.silentAfter) return;
    if (index === behaviour.cutAfter) {
      response.locals = "cut";
      response.destroy();
      return;
    }
    const due = began + ((behaviour.overMs ?? 0) * index) / parts.length - performance.now();
    if (due > 1) await sleep(due);
    if (response.destroyed) return;
    response.write(wire.piece(request.model, part));
    if (request.firstPieceAt === undefined) {
      request.firstPieceAt = performance.now();
      streaming.firstPiece();
    }
  }
  if (calls.length > 0) response.write(wire.calls(request.model, calls));
  response.end(wire.close(request.model, usage, calls.length));
}

function failWith(wire: Wire, request: ModelRequest, failure: Failure, response: ServerResponse): void {
  if (failure.kind === "status") {
    const headers: Record<string, string> =
      failure.retryAfterS === undefined ? {} : { "retry-after": String(failure.retryAfterS) };
    const code = failure.status === 429 ? "rate_limit_exceeded" : "server_error";
    json(response, failure.status, wire.error(failure.status, code, "The scripted model fails."), headers);
  } else if (failure.kind === "context") {
    const text = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.";
    json(response, 400, wire.error(400, "context_length_exceeded", text));
  } else if (failure.kind === "garbage") {
    response.writeHead(200, { "content-type": request.streamed ? "text/event-stream" : "application/json" });
    response.end("data: <html>this is no JSON</html>\n\n");
  } else if (failure.kind === "empty") {
    const usage = { input: 1, output: 0 };
    response.writeHead(200, { "content-type": request.streamed ? "text/event-stream" : "application/json" });
    if (request.streamed) response.end(wire.open(request.model) + wire.close(request.model, usage, 0));
    else response.end(JSON.stringify(wire.whole(request.model, "", usage)));
  }
  // "hang": no answer at all, until the caller gives up.
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** `/v1/models` as OpenAI has it, `/api/tags` as Ollama does. */
function modelList(path: string): unknown {
  if (path.endsWith("/tags")) return { models: [{ name: "scripted:latest", model: "scripted:latest" }] };
  return { object: "list", data: [{ id: "scripted", object: "model", created: 1, owned_by: "test" }] };
}

async function readAll(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

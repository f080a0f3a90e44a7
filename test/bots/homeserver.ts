import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface Request {
  method: string;
  /** Without the query, decoded. */
  path: string;
  as: string | null;
  body: Record<string, unknown>;
}

type Answer = { status: number; body: unknown };

/** A homeserver by rules: `answer` decides on each request; what it leaves undecided is answered 200. It remembers what was asked. */
export interface ScriptedHomeserver {
  url: string;
  requests: Request[];
  answer: (request: Request) => Answer | undefined;
  /** Requests to paths that match. */
  to(path: RegExp): Request[];
}

export const refused = (errcode: string, status = 403): Answer => ({ status, body: { errcode, error: "No." } });
export const ok = (body: unknown = {}): Answer => ({ status: 200, body });

export async function scriptedHomeserver(): Promise<ScriptedHomeserver> {
  const scripted: ScriptedHomeserver = {
    url: "",
    requests: [],
    answer: () => undefined,
    to: (path) => scripted.requests.filter((request) => path.test(request.path)),
  };
  const plain = ({ path }: Request) =>
    path.endsWith("/joined_rooms") ? ok({ joined_rooms: [] }) : ok({ event_id: `$sent${scripted.requests.length}` });
  const server = createServer(async (incoming, outgoing) => {
    const request = await read(incoming);
    scripted.requests.push(request);
    const { status, body } = scripted.answer(request) ?? plain(request);
    outgoing.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  scripted.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return scripted;
}

async function read(incoming: IncomingMessage): Promise<Request> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  const url = new URL(incoming.url ?? "/", "http://x");
  const isJson = incoming.headers["content-type"]?.includes("json") && text !== "";
  return {
    method: incoming.method ?? "",
    path: decodeURIComponent(url.pathname),
    as: url.searchParams.get("user_id"),
    body: isJson ? JSON.parse(text) : {},
  };
}

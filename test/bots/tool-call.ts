/** A tool as its caller runs it, and servers on this machine for it to reach. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished } from "vitest";
import { problemsOf } from "../../bots/tools/check-arguments.ts";
import type { Args, Tool, ToolRun } from "../../bots/tools/tool.ts";
import type { Context } from "../../core/context.ts";
import { ALICE, ROOM, TENANT } from "./tenant.ts";

export async function callTool(
  ctx: Context,
  tool: Tool,
  args: Args,
  wish: { signal?: AbortSignal; maxChars?: number } = {},
): Promise<{ text: string; untrusted?: string | null }> {
  expect(problemsOf(tool.input, args)).toEqual([]);
  const call: ToolRun = {
    ctx,
    tenantId: TENANT,
    callId: "c0ffee",
    args,
    agent: { id: "writer", name: "Writer", userId: "@agent-writer:acme.test", deviceId: "AGENTOPIA" },
    run: { id: "r", source: "room", hops: 0, untrusted: null },
    roomId: ROOM,
    threadRoot: null,
    person: ALICE,
    rooms: [],
    maxChars: wish.maxChars ?? 20_000,
    signal: wish.signal ?? new AbortController().signal,
  };
  const result = await tool.run(call);
  if ("waiting" in result) throw new Error("it waits for somebody");
  return result;
}

export async function failing(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    (result) => new Error(`it did not fail: ${JSON.stringify(result)}`),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Error);
  expect((error as Error).message).not.toMatch(/^it did not fail/);
  return error as Error;
}

export interface Server {
  host: string;
  url: string;
  seen: { method: string; url: string; headers: IncomingMessage["headers"]; body: string }[];
}

/** `handler` is called when the whole request is there. */
export async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const seen: Server["seen"] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body });
      handler(request, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host, url: `http://${host}`, seen };
}

/** A host and port of this machine where nothing listens. */
export async function closedPort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `127.0.0.1:${port}`;
}

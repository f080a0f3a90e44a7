/** The tools of a client: what there is, trying one, and what was called. */
import { listCalls } from "../../bots/tools/call-list.ts";
import { showableArguments } from "../../bots/tools/showable.ts";
import { listTools } from "../../bots/tools/sources.ts";
import { tryTool } from "../../bots/tools/try-tool.ts";
import type { Context } from "../../core/context.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import { byline } from "./caller.ts";
import { type Endpoint, endpoint, z } from "./endpoint.ts";
import { pageOf, pageQuery, readCursor, readMomentCursor, shortPageQuery, toPage, writeCursor } from "./pages.ts";
import { callState, callView, toolView, triedView, viewCall, viewTool } from "./tools-views.ts";

const LIST = "/clients/{client}/tools";
const name = z.string().min(1).max(200).optional();

export const toolEndpoints = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: LIST,
      action: "tools.read",
      tag: "tools",
      summary: "Every tool that agents of this client may be allowed, by group and name",
      query: pageQuery,
      answer: pageOf(toolView),
    },
    async ({ params: { client }, query: { limit, cursor } }) => {
      await getTenant(ctx, client);
      const [after = ""] = readCursor(cursor, "string") ?? [];
      const key = ({ group, name }: { group: string; name: string }) => `${group} ${name}`;
      const all = [...(await listTools(ctx, client)).values()].toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
      const rows = all.filter((tool) => key(tool) > after).slice(0, limit + 1);
      return toPage(rows, limit, (tool) => writeCursor(key(tool)), viewTool);
    },
  ),
  endpoint(
    {
      method: "post",
      path: `${LIST}/{tool}/try`,
      action: "tools.write",
      auditAs: "tools.try",
      tag: "tools",
      summary: "Try a tool for oneself, outside of any room. It is done: a mail is sent, a file is written",
      body: z.object({ arguments: z.record(z.string().max(200), z.unknown()) }),
      answer: triedView,
      creates: true,
    },
    async ({ params: { client, tool }, body, caller, audit }) => {
      await getTenant(ctx, client);
      const known = (await listTools(ctx, client)).get(tool);
      const args = showableArguments(body.arguments, known?.input);
      const target = { kind: "tool", id: tool, name: known?.title };
      // Said before it is done: what was tried stands there even when we are cut off.
      audit({ target, after: { arguments: args } });
      const wish = { tenantId: client, tool, args: body.arguments, by: byline(caller) };
      const { callId, ...tried } = await tryTool(ctx, wish);
      audit({ target, after: { arguments: args, state: tried.state, call: callId } });
      return { call: callId, ...tried };
    },
  ),
  endpoint(
    {
      method: "get",
      path: "/clients/{client}/tool-calls",
      action: "runs.read",
      tag: "tools",
      summary:
        "What agents called, and what was tried, newest first; without what looks like a secret. Some filters make pages short: go on until there is no `next`",
      query: shortPageQuery.extend({ agent: name, tool: name, run: name, state: callState.optional() }),
      answer: pageOf(callView),
    },
    async ({ params: { client }, query }) => {
      await getTenant(ctx, client);
      const after = readMomentCursor(query.cursor);
      const { agent: agentId, tool, run: runId, state, limit } = query;
      const { calls, next } = await listCalls(ctx, { tenantId: client, agentId, tool, runId, state }, { limit, after });
      return { items: calls.map(viewCall), next: next && writeCursor(next.micros, next.id) };
    },
  ),
];

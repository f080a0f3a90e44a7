/** An agent with tools that is tried beside its form: what it asks stands in the chat, and who tries it decides there. */
import { beforeEach, expect, test } from "vitest";
import { askTry, openTry, readTry } from "../../bots/try.ts";
import { apiFor } from "../api/harness.ts";
import { DEFINITION, TENANT } from "../bots/tenant.ts";
import { addProbes, probe, probed, world } from "./world.ts";

addProbes(probe({ name: "act", sends: "outside" }));
beforeEach(() => probed.clear());

test("it waits with its exact arguments, another one does not see it, and goes on when it is allowed", async () => {
  const w = await world({});
  const api = apiFor(w.ctx);
  const [ann, eve] = [await api.operator("ann"), await api.operator("eve")];
  const by = "operator:ann";
  const { id: chatId } = await openTry(w.ctx, { tenantId: TENANT, agentId: "writer", by });
  const definition = { ...DEFINITION, tools: { probe: { policy: "ask" } } } as const;
  const text = '[[call act {"word":"sk-abcdef123456789"}]] [[results]] #try';
  await askTry(w.ctx, { tenantId: TENANT, chatId, text, definition, by });
  await w.work();
  const [waiting] = await readTry(w.ctx, { tenantId: TENANT, chatId, by });
  expect(waiting).toMatchObject({
    state: "waiting",
    approvals: [{ kind: "tool", tool: "act", mayDecide: true, arguments: { word: "sk-abcdef123456789" } }],
  });
  expect(w.sent).toEqual([]);
  const path = `/clients/${TENANT}/approvals/${waiting?.approvals[0]?.id}`;
  expect((await ann("GET", path)).json).toMatchObject({ room: null, onlyPerson: { id: by, name: "ann" } });
  expect((await ann("POST", `${path}/decide`, { verdict: "always" })).status).toBe(400);
  expect((await ann("POST", `${path}/decide`, { verdict: "approved" })).status).toBe(200);
  expect((await eve("POST", `${path}/decide`, { verdict: "declined" })).status).toBe(409);
  await w.work();
  expect(await readTry(w.ctx, { tenantId: TENANT, chatId, by })).toMatchObject([{ state: "done", approvals: [] }]);
  expect(probed.get("act")).toHaveLength(1);
});

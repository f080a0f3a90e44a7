import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import type { AgentFacts, TenantFacts } from "../harness/platform.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "e2e-command-line" });

const state = async (name: string) =>
  (await shared.platform.json<{ tenants: TenantFacts[] }>("status")).tenants.find((one) => one.name === name)?.state;

test("a client from nothing to an answer in its room, by the command line alone", async () => {
  const { platform } = shared;
  const began = performance.now();
  const made = await platform.json<TenantFacts>("tenant", "create", "acme", "--title", "Acme Ltd");
  expect(performance.now() - began).toBeLessThan(60_000);
  expect(made).toMatchObject({ name: "acme", serverName: "acme.localhost", state: "running" });
  await platform.cli("team", "create", "acme", "Sales", "--room", "general", "--room", "deals");
  expect(await platform.json("team", "list", "acme")).toMatchObject([
    { name: "Sales", rooms: [{ name: "general" }, { name: "deals" }] },
  ]);
  const agent = await platform.json<AgentFacts>(
    ...["agent", "create", "acme", "--name", "Seller", "--instructions", "Sell.", "--room", "deals"],
  );
  expect(agent).toMatchObject({ name: "Seller", userId: "@agent-seller:acme.localhost", state: "active" });
  const ida = await platform.person("ida", "acme");
  const room = await ida.room("deals");
  const question = await ida.ask(room, agent.userId, "what do we sell? #sell");
  expect((await ida.answer(question)).text).toBe("Answer to #sell");
  const [run] = await platform.json<Record<string, unknown>[]>("run", "list", "acme");
  expect(run).toMatchObject({ agent: "Seller", room, question, steps: expect.any(Array), timings: expect.any(Object) });

  await platform.cli("agent", "pause", "acme", "Seller");
  expect(await platform.json("agent", "list", "acme")).toMatchObject([{ name: "Seller", state: "paused" }]);
  await platform.cli("agent", "resume", "acme", "Seller");
  const again = await ida.ask(room, agent.userId, "and now? #now");
  expect((await ida.answer(again)).text).toBe("Answer to #now");
});

test("a client is stopped, started and removed; the demo client goes on", async () => {
  const { platform } = shared;
  await platform.cli("tenant", "create", "gone");
  await platform.cli("tenant", "stop", "gone");
  expect(await state("gone")).toBe("stopped");
  await platform.cli("tenant", "start", "gone");
  expect(await state("gone")).toBe("running");
  await platform.cli("tenant", "restart", "gone");
  expect(await state("gone")).toBe("running");
  await expect(platform.cli("tenant", "remove", "gone", "--confirm", "demo")).rejects.toThrow("nothing was removed");
  const removed = await platform.json<{ backup: string }>("tenant", "remove", "gone", "--confirm", "gone");
  expect(existsSync(removed.backup)).toBe(true);
  expect(await state("gone")).toBeUndefined();
  await platform.cli("tenant", "create", "gone");
  expect(await platform.json("tenant", "remove", "gone", "--confirm", "gone", "--no-backup")).toMatchObject({
    backup: null,
  });
  await expect(platform.cli("tenant", "create", "demo")).rejects.toThrow("already");
  expect(await state("demo")).toBe("running");
});

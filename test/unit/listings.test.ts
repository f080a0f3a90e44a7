/** What `!tools` says of the agents of a room, in people's words. */
import { expect, test } from "vitest";
import { toolsText } from "../../bots/listings.ts";
import type { RoomView } from "../../bots/room-view.ts";
import type { AgentTools } from "../../migrations/types.ts";

function said(tools: AgentTools, granted: string[] = []): string {
  const view = {
    agents: [{ id: "w", name: "Writer", userId: "@agent-writer:x", membership: "join", state: "active" }],
    people: [],
    listing: {
      tools: [{ agentId: "w", tools, granted }],
      titles: { mail_send: "Send a mail", form_offer: "Offer", http_call: "Call an address" },
      waiting: [],
      schedules: [],
      byManager: false,
    },
  } as unknown as RoomView;
  return toolsText(view).split("\n")[1] ?? "";
}

test.each([
  ["groups", { calculate: { policy: "allowed" }, code: { policy: "allowed" } }, [], "• Writer: programs, sums"],
  [
    "single tools by what people call them",
    { web: { policy: "ask" }, http_call: { policy: "never" }, form_offer: { policy: "allowed" } },
    [],
    "• Writer: “Offer”; when a person approves it: the web; not: “Call an address”",
  ],
  ["what is allowed for always", {}, ["mail_send"], "• Writer: in this room without asking again: “Send a mail”"],
  ["a tool that is gone, by its name", { form_old: { policy: "allowed" } }, [], "• Writer: form_old"],
] as const)("!tools names %s", (_, tools, granted, text) => {
  expect(said(tools as AgentTools, [...granted])).toBe(text);
});

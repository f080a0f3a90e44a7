import { expect, test } from "vitest";
import { differences } from "../../admin/web/pages/agents/differences.ts";
import {
  isBounded,
  linesOf,
  withBounds,
  withGroupPolicy,
  withToolPolicy,
} from "../../admin/web/pages/agents/tools/bounds.ts";
import { DEFINITION } from "../bots/tenant.ts";

test("what says nothing is not written down", () => {
  const web = withGroupPolicy({}, "web", "ask");
  expect(web).toEqual({ web: { policy: "ask" } });
  expect(withGroupPolicy(web, "web", "never")).toEqual({});
  expect(withBounds(web, "web", { policy: "ask", allow: [], perDay: undefined as never })).toEqual(web);
  expect(withGroupPolicy({ web: { policy: "ask", perDay: 3 } }, "web", "never")).toEqual({ web: { perDay: 3 } });
  expect(withToolPolicy({ web_fetch: { policy: "never" } }, "web_fetch", null)).toEqual({});
});

test("lines are patterns without empty ones", () => {
  expect(linesOf(" a.example \n\n*.b.example\n")).toEqual(["a.example", "*.b.example"]);
  expect([isBounded({ policy: "ask" }), isBounded({ policy: "ask", perDay: 1 })]).toEqual([false, true]);
});

test("differences of boundaries are said line by line, in words", () => {
  const from = { ...DEFINITION, tools: { web: { policy: "ask", perDay: 5 } } } as const;
  const to = { ...DEFINITION, tools: { web: { policy: "allowed", allow: ["a.example", "b.example"] } } } as const;
  expect(differences(from as never, to as never)).toEqual([
    { field: "tools.web.policy", from: "Ask a person", to: "Allowed" },
    { field: "tools.web.perDay", from: "5", to: "" },
    { field: "tools.web.allow", from: "", to: "a.example\nb.example" },
  ]);
});

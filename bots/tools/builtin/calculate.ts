/** Reckon: numbers, units, matrices. */
import { offload } from "../offload.ts";
import { oneLine } from "../one-line.ts";
import type { Tool } from "../tool.ts";

export const calculate: Tool = {
  name: "calculate",
  group: "calculate",
  title: "Calculate",
  summary: "Works out sums, units and formulas exactly.",
  description:
    "Calculates an expression exactly: 17% * 340, sqrt(2)^3, 12 inch to cm, mean([1, 2, 5]), det([1, 2; 3, 4]), a = 3; b = a^2; b + 1. The syntax is that of " +
    "math.js. Use it for every sum that matters.",
  input: {
    type: "object",
    properties: { expression: { type: "string", minLength: 1, maxLength: 10_000 } },
    required: ["expression"],
    additionalProperties: false,
  },
  risk: "low",
  reads: "nothing",
  sends: "nothing",
  repeatable: true,
  sentence: ({ expression }) => `calculate ${oneLine(expression, 200)}`,
  run: async ({ args, signal, tenantId }) => ({
    text: await offload("calculate", { expression: String(args.expression) }, { signal, tenantId }),
    untrusted: null,
  }),
};

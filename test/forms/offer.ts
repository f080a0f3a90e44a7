/** Forms of these tests. */
import { checkForm } from "../../bots/forms/definition.ts";
import type { FormDefinition } from "../../migrations/types.ts";

/** A text comes out of it. */
export const OFFER: FormDefinition = checkForm(
  {
    name: "offer",
    title: "Offer",
    description: "Writes an offer to a customer.",
    input: {
      type: "object",
      properties: {
        customer: { type: "string", title: "Customer" },
        amount: { type: "number", title: "Amount", minimum: 0 },
        urgent: { type: "boolean" },
        lang: { type: "string", title: "Language", enum: ["English", "German"], default: "English" },
        until: { type: "string", format: "date" },
      },
      required: ["customer", "amount"],
    },
    prompt:
      "Write an offer to {{customer}} over {{amount}} EUR in {{lang}}. Urgent: {{urgent}}. Valid until {{until}}.",
    agent: null,
    model: null,
    output: null,
  },
  { whole: true },
);

/** Fields come out of it. */
export const QUIZ: FormDefinition = checkForm(
  {
    name: "quiz",
    title: "Quiz",
    description: "Makes a question.",
    input: { type: "object", properties: { about: { type: "string" } }, required: ["about"] },
    prompt: "Make a question about {{about}}.",
    agent: null,
    model: null,
    output: {
      type: "object",
      properties: {
        question: { type: "string", title: "Question" },
        choices: { type: "array", items: { type: "string" } },
        right: { type: "integer" },
      },
      required: ["question", "right"],
    },
  },
  { whole: true },
);

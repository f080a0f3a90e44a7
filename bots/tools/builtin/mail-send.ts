/** Send a mail through the client's own mail server. */
import { AppError } from "../../../core/errors.ts";
import { MOST_RECIPIENTS, sendMail } from "../mail.ts";
import { readMailAddress } from "../mail-address.ts";
import { oneLine } from "../one-line.ts";
import { readToolSettings } from "../settings.ts";
import type { Args, Tool, ToolRun } from "../tool.ts";

const addresses = (description: string) => ({
  type: "array",
  description,
  items: { type: "string", maxLength: 254 },
  maxItems: MOST_RECIPIENTS,
});

const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
const everybody = (args: Args) => [...list(args.to), ...list(args.cc)];

export const mailSend: Tool = {
  name: "mail_send",
  group: "mail",
  title: "Send a mail",
  summary: "Sends a mail through the company's mail server; what is sent cannot be taken back.",
  description:
    "Sends a mail in plain text through the company's own mail server. Use it only when somebody asked for a mail. " +
    "Returns who got it. What is sent cannot be taken back; when the outcome is unknown, do not send again without asking.",
  input: {
    type: "object",
    properties: {
      to: { ...addresses("Mail addresses, each alone: ann@example.org"), minItems: 1 },
      cc: addresses("Who gets a copy."),
      subject: { type: "string", minLength: 1, maxLength: 250, description: "One line." },
      text: { type: "string", minLength: 1, maxLength: 100_000, description: "The mail, in plain text." },
    },
    required: ["to", "subject", "text"],
    additionalProperties: false,
  },
  labels: { cc: "Copy to" },
  always: { does: "send mail", whatever: "whatever is in it and to whomever" },
  risk: "high",
  reads: "nothing",
  sends: "outside",
  repeatable: false,
  timeoutMs: 120_000,
  targets: (args) =>
    everybody(args).map((text) => ({ kind: "recipient", value: readMailAddress(text.trim()) ?? text.trim() })),
  sentence: (args) => {
    // Nobody may be hidden from who approves it: every address is there, whole, and as it is used.
    const names = (value: unknown) =>
      list(value)
        .map((one) => readMailAddress(one.trim()) ?? oneLine(one, 254))
        .join(", ");
    const copy = list(args.cc).length > 0 ? `, with a copy to ${names(args.cc)},` : "";
    return `send a mail to ${names(args.to)}${copy} about “${oneLine(args.subject)}”`;
  },
  run: send,
};

async function send({ ctx, tenantId, callId, args, signal }: ToolRun) {
  const { mail: settings } = await readToolSettings(ctx, tenantId);
  if (!settings)
    throw new AppError(
      "invalid",
      "There is no mail server for agents yet. A manager sets one on the Tools page. Nothing was sent.",
    );
  const mail = { to: list(args.to), cc: list(args.cc), subject: String(args.subject), text: String(args.text) };
  const { accepted, refused } = await sendMail(ctx, settings, mail, { id: callId, signal });
  const lost = refused.map(({ address, why }) => `The mail server refused ${address}: ${why}`);
  return { text: [`The mail was handed over for ${accepted.join(", ")}.`, ...lost].join(" ") };
}

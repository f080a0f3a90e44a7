/** Ask a person and wait for the answer. */
import { AppError } from "../../../core/errors.ts";
import { isPersonId } from "../../../homeserver/people.ts";
import { askInput } from "../../approvals/ask.ts";
import { serverOf } from "../../room-view.ts";
import { argumentsHash } from "../hashes.ts";
import { oneLine } from "../one-line.ts";
import type { Tool, ToolRun } from "../tool.ts";
import { findPerson } from "../who.ts";

const MOST_MINUTES = 7 * 24 * 60;
const USUAL_MINUTES = 24 * 60;

export const askPerson: Tool = {
  name: "ask_person",
  group: "people",
  title: "Ask a person",
  summary: "Asks somebody in the room a question and waits for the reply.",
  description:
    "Asks a person of this room a question, in the room, and waits for their reply, which is what this returns. Use it when you need something to go on " +
    "that only a person knows or decides. Ask one thing at a time.",
  input: {
    type: "object",
    properties: {
      question: { type: "string", minLength: 1, maxLength: 3000 },
      person: {
        type: "string",
        maxLength: 255,
        description: "A name or user id of somebody in this room; who asked you when left out.",
      },
      minutes: {
        type: "integer",
        minimum: 1,
        maximum: MOST_MINUTES,
        description: `How long to wait; ${USUAL_MINUTES} when left out.`,
      },
    },
    required: ["question"],
    additionalProperties: false,
  },
  risk: "low",
  reads: "private",
  sends: "inside",
  repeatable: true,
  sentence: ({ person, question }) => `ask ${person ? oneLine(person, 255) : "you"} “${oneLine(question)}”`,
  run: ask,
};

async function ask(call: ToolRun) {
  const { run, args } = call;
  if (!run) throw new AppError("invalid", "There is no conversation here in which somebody could be asked.");
  const person = await whom(call);
  const minutes = Number(args.minutes ?? USUAL_MINUTES);
  const text = String(args.question).trim();
  if (text === "") throw new AppError("invalid", "Write the question.");
  await askInput(call.ctx, { ...call, run }, askPerson, { text, person, minutes, argumentsHash: argumentsHash(args) });
  return { waiting: true as const };
}

/** Beside a form only the one who tries it is there. */
async function whom({ ctx, tenantId, args, agent, roomId, person }: ToolRun): Promise<string> {
  const wanted = String(args.person ?? "").trim();
  if (!roomId?.startsWith("!")) {
    if (wanted !== "" && wanted !== person) throw new AppError("invalid", "Only you two are here: leave “person” out.");
    return person;
  }
  const serverName = serverOf(agent.userId);
  if (wanted === "" && !isPersonId(person, serverName))
    throw new AppError("invalid", "Nobody of this company asked you here: name the person whom you want to ask.");
  const found = await findPerson(ctx, { tenantId, serverName, roomId, wanted: wanted || person });
  return found.userId;
}

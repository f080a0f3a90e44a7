/** What `!tools` and `!approvals` say. Pure. */
import type { AgentTools, ToolPolicy } from "../migrations/types.ts";
import { agentOfDirectChat } from "./addressed.ts";
import type { RoomView, WaitingView } from "./room-view.ts";
import { minuteText } from "./schedules/words.ts";
import { oneLine } from "./tools/one-line.ts";

const SHOWN = 20;

/** Groups as people call them; other groups stand as they are named. */
const GROUPS: Record<string, string> = {
  room: "rooms",
  people: "asking people",
  web: "the web",
  mail: "mail",
  calculate: "sums",
  code: "programs",
  time: "the time",
  agents: "handing work to other agents",
  schedule: "planning tasks",
  forms: "forms",
};

/** What each agent of the room may use here: without a question, after one, and what is taken out of a group that it may use. */
export function toolsText(view: RoomView): string {
  const here = view.agents.filter(({ membership, state }) => membership === "join" && state !== "removed");
  if (here.length === 0) return "No agents are in this room.";
  const direct = agentOfDirectChat(view) !== null;
  const lines = here.slice(0, SHOWN).map(({ id, name }) => {
    const listed = view.listing?.tools.find(({ agentId }) => agentId === id);
    const place = { direct, granted: listed?.granted ?? [], titles: view.listing?.titles ?? {} };
    return `• ${name}: ${ofAgent(listed?.tools ?? {}, place)}`;
  });
  if (here.length > SHOWN) lines.push(`• and ${here.length - SHOWN} more`);
  return [
    "What the agents may use here:",
    ...lines,
    "",
    "Nobody's agent may more than they may themselves. A manager changes this on the agent's page.",
  ].join("\n");
}

interface Here {
  direct: boolean;
  granted: string[];
  titles: Record<string, string>;
}

function ofAgent(tools: AgentTools, here: Here): string {
  const { titles } = here;
  const wordOf = (key: string) => GROUPS[key] ?? (titles[key] === undefined ? key : `“${oneLine(titles[key], 60)}”`);
  const named = (policy: ToolPolicy) =>
    Object.entries(tools)
      .filter(([key, bounds]) => policyHere(key, bounds.policy, here) === policy)
      .map(([key]) => wordOf(key))
      .sort();
  const [free, asked, never] = [named("allowed"), named("ask"), named("never")];
  const always = here.granted.map(wordOf).filter((tool) => !free.includes(tool));
  const parts = [
    free.length > 0 ? free.join(", ") : "",
    asked.length > 0 ? `when a person approves it: ${asked.join(", ")}` : "",
    always.length > 0 ? `in this room without asking again: ${always.join(", ")}` : "",
    never.length > 0 && free.length + asked.length > 0 ? `not: ${never.join(", ")}` : "",
  ].filter(Boolean);
  return free.length + asked.length + always.length > 0 ? parts.join("; ") : "no tools";
}

function policyHere(key: string, policy: ToolPolicy | undefined, { direct, granted }: Here): ToolPolicy | null {
  if (policy === undefined) return null;
  if (policy === "direct") return direct ? "allowed" : "ask";
  return policy === "ask" && granted.includes(key) ? "allowed" : policy;
}

/** What waits for somebody in the room, with links to it. */
export function approvalsText(view: RoomView, roomId: string): string {
  const waiting = view.listing?.waiting ?? [];
  if (waiting.length === 0) return "Nothing waits for anybody here.";
  const lines = waiting.slice(0, SHOWN).map((one) => line(one, roomId, view));
  if (waiting.length > SHOWN) lines.push(`• and ${waiting.length - SHOWN} more`);
  return ["Waiting here for a person:", ...lines].join("\n");
}

function line(
  { agentName, kind, sentence, onlyName, expiresAt, eventId }: WaitingView,
  roomId: string,
  { serverName }: RoomView,
): string {
  const what =
    kind === "tool"
      ? `${agentName} wants to ${oneLine(sentence, 300)}`
      : `${agentName} asks: ${oneLine(sentence, 300)}`;
  const whom = onlyName === null ? "" : ` (${oneLine(onlyName, 60)} decides)`;
  const link =
    eventId === null
      ? ""
      : ` https://matrix.to/#/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}?via=${encodeURIComponent(serverName)}`;
  return `• ${what}${whom}, until ${minuteText(expiresAt)}.${link}`;
}

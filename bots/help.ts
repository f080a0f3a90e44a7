import { agentOfDirectChat } from "./addressed.ts";
import { formsInHelp } from "./forms/listing.ts";
import type { AgentView, RoomView, RoutedEvent } from "./room-view.ts";

const SHOWN = 20;

/** What `!help` says: who is here and how to ask, and which forms there are. */
export const helpText = (view: RoomView, event: RoutedEvent): string =>
  [agentsInHelp(view), ...formsInHelp(view, event)].join("\n");

function agentsInHelp(view: RoomView): string {
  const here = view.agents.filter((agent) => agent.membership === "join" && agent.state !== "removed");
  if (here.length === 0)
    return (
      "No agents are in this room. Invite one: open the room's member list, choose Invite, and type the agent's name. " +
      "Then mention it with @ and its name."
    );
  const direct = agentOfDirectChat(view);
  const how = direct
    ? `Write to ${direct.name} as to anyone; there is no need to mention it here.`
    : "Ask an agent by mentioning it (@ and its name), or by replying to one of its messages.";
  const lines = here.slice(0, SHOWN).map(line);
  if (here.length > SHOWN) lines.push(`• and ${here.length - SHOWN} more`);
  return [
    here.length === 1 ? "One agent is here:" : `${here.length} agents are here:`,
    ...lines,
    "",
    how,
    "While it answers: edit or delete your question to change or stop it, write !stop, or react with ❌ to the answer. " +
      "🔁 on an answer asks once more; 👍 and 👎 tell its makers what was good.",
    "!tools says what the agents may do here, !approvals what waits for somebody, !schedules what is planned, " +
      "!forms which forms can be filled in.",
  ].join("\n");
}

function line(agent: AgentView): string {
  const about = agent.description ? `: ${agent.description}` : "";
  if (agent.state === "paused") return `• ${agent.name} (paused)${about}`;
  return agent.scope === "observer"
    ? `• ${agent.name} (reads along, does not answer here)${about}`
    : `• ${agent.name}${about}`;
}

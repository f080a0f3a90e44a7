/** `!stop`, `!help` and what lists something, and what is said to a command that there is not. Pure. */
import { mentioned, withoutNames } from "./addressed.ts";
import { COMMANDS, type CommandName, type Decision, type Notice } from "./decision.ts";
import { formsFor, formsText } from "./forms/listing.ts";
import { helpText } from "./help.ts";
import { approvalsText, toolsText } from "./listings.ts";
import type { Message } from "./message.ts";
import { nearestWord } from "./near.ts";
import { powerOf } from "./room-state.ts";
import { type AgentView, isAgentUser, type RoomView, type RoutedEvent, type RunView, serverOf } from "./room-view.ts";
import { scheduleCommand } from "./schedules/command.ts";
import type { ScheduleChange } from "./schedules/schedules.ts";
import { speaker } from "./speaker.ts";

export interface Command {
  name: CommandName;
  rest: string;
}

/** A command is the first word of a message, apart from names of agents: `!stop`, `!stop @writer`, `Writer: !stop`. */
export function readCommand(body: string, agents: Pick<AgentView, "name" | "userId">[] = []): Command | null {
  const [, word] = COMMAND.exec(body) ?? COMMAND.exec(withoutNames(body, agents)) ?? [];
  if (!word) return null;
  const rest = body.replace(ANYWHERE, " ").replaceAll(/^[\s:,@]+|[\s:,]+$/g, "");
  return { name: word.toLowerCase() as CommandName, rest };
}

/** `!help_me` is none: it may be a form. */
const COMMAND = new RegExp(`^\\s*!(${COMMANDS.join("|")})(?![\\p{L}\\p{N}_])`, "iu");
const ANYWHERE = new RegExp(`!(${COMMANDS.join("|")})`, "i");

/**
 * A message that is nothing but `!` and a word, or a word and what is filled in (`!offer customer=Acme`), apart from names of agents; prose that begins with an
 * exclamation mark is none.
 */
export function unknownCommand(body: string, agents: Pick<AgentView, "name" | "userId">[] = []): string | null {
  for (const said of [body.trim(), withoutNames(body, agents)]) {
    const [, word] = ANY_COMMAND.exec(said) ?? FILLED_IN.exec(said) ?? [];
    if (word) return word;
  }
  return null;
}

const ANY_COMMAND = /^!([a-z]{2,20})$/;
const FILLED_IN = /^!([a-z][a-z0-9_]{1,39})[^\S\n]+[a-z][a-z0-9_]{0,39}=\S/;

/** Said only where an agent is: elsewhere such words are meant for somebody else's bot. */
export function routeUnknown(word: string, event: RoutedEvent, message: Message, view: RoomView): Decision | null {
  if (!view.agents.some(({ membership }) => membership === "join")) return null;
  const meant = meantBy(word, event, view);
  // A form that is a draft is none yet.
  const filled = FILLED_IN.test(withoutNames(message.body, view.agents)) && serverOf(event.sender) === view.serverName;
  const none = `There is no command ${filled && !meant ? "and no published form " : ""}!${word}.`;
  const words = `${none} ${meant ? `Did you mean !${meant}?` : "`!help` says what there is."}`;
  return { kind: "command", name: "unknown", stops: [], notices: say(words, event, message, view) };
}

/** A first word that is nearly a command or a form, whatever follows it. Of a message that asks nobody it is said what was meant. */
export function mistypedCommand(body: string, event: RoutedEvent, view: RoomView): string | null {
  const [, word] = FIRST_WORD.exec(body) ?? [];
  return word && meantBy(word, event, view) ? word : null;
}

const FIRST_WORD = /^\s*!([a-z][a-z0-9_]{1,40})(?=\s|$)/i;

const meantBy = (word: string, event: RoutedEvent, view: RoomView): string | null =>
  nearestWord(word, [...COMMANDS, ...formsFor(view, event).names]);

export function routeCommand(command: Command, event: RoutedEvent, message: Message, view: RoomView): Decision {
  const { name, rest } = command;
  const told = (words: string, schedules: ScheduleChange[] = []): Decision => ({
    kind: "command",
    name,
    stops: [],
    notices: say(words, event, message, view),
    ...(schedules.length > 0 ? { schedules } : {}),
  });
  switch (name) {
    case "stop":
      return stop(command, event, message, view);
    case "help":
      return told(helpText(view, event));
    case "tools":
      return told(toolsText(view));
    case "approvals":
      return told(approvalsText(view, event.roomId));
    case "forms":
      return told(formsText(view, event));
    case "schedules": {
      const manages = view.listing?.byManager ?? false;
      const by = { userId: event.sender, state: view.state, manages, now: view.now };
      const { words, change } = scheduleCommand(rest, by, view.listing?.schedules ?? []);
      return told(words, change ? [change] : []);
    }
  }
}

/** In a thread the thread's runs, else the room's; only those that the sender may stop. */
function stop(command: Command, event: RoutedEvent, message: Message, view: RoomView): Decision {
  const agents = agentsMeant(command, message, view);
  const meant = view.openRuns.filter(
    (run) =>
      (!message.threadRoot || run.threadRoot === message.threadRoot) &&
      (agents.length === 0 || agents.some(({ id }) => id === run.agentId)),
  );
  const allowed = meant.filter((run) => mayStop(run, event.sender, view));
  const stops = allowed.map(({ id, kind }) => ({ kind, runId: id, reason: "command" as const, by: event.sender }));
  if (stops.length > 0) return { kind: "command", name: "stop", stops, notices: [] };
  const words =
    meant.length > 0
      ? "Only who asked and the room's moderators may stop this answer."
      : "Nothing is being answered here, so there is nothing to stop.";
  return { kind: "command", name: "stop", stops: [], notices: say(words, event, message, view) };
}

/** Who asked, and the room's moderators; what agents ask one another may be stopped by everybody. */
export function mayStop(run: Pick<RunView, "askedBy">, userId: string, view: RoomView): boolean {
  if (run.askedBy === userId || isAgentUser(run.askedBy, view)) return true;
  return view.state !== null && powerOf(view.state, userId) >= 50;
}

/** `!stop @writer`, `!stop writer`, `@writer !stop`. */
function agentsMeant(command: Command, message: Message, view: RoomView): AgentView[] {
  const named = mentioned(message, view);
  const rest = command.rest.toLowerCase();
  return view.agents.filter(
    ({ userId, name }) =>
      named.includes(userId) ||
      (rest !== "" &&
        (name.toLowerCase() === rest || userId.slice(1) === rest || userId.slice(1).startsWith(`${rest}:`))),
  );
}

function say(words: string, event: RoutedEvent, message: Message, view: RoomView): Notice[] {
  const as = speaker(view);
  if (!as) return [];
  const place = message.threadRoot ? { threadRoot: message.threadRoot } : {};
  return [{ key: ["command", event.eventId], as, text: words, replyTo: event.eventId, ...place }];
}

/** Schedules as rooms see and change them. Pure. */
import type { RoomState } from "../../migrations/types.ts";
import { nameIn } from "../person-name.ts";
import { powerOf } from "../room-state.ts";
import { oneLine } from "../tools/one-line.ts";
import { type Schedule, type ScheduleChange, shortId, whenResumed } from "./schedules.ts";
import { nextText, timeText } from "./words.ts";

export type ScheduleView = Pick<
  Schedule,
  "id" | "agentName" | "createdBy" | "createdByName" | "task" | "time" | "state" | "problem" | "nextAt" | "createdAt"
>;

const SHOWN = 20;
const HOW = "`!schedules pause`, `resume` or `remove` and the id at the beginning of a line change one.";

/** Who wants to change one. */
export interface Changer {
  userId: string;
  state: RoomState | null;
  /** Says whether they manage the client, and may change it in the panel: then here too. */
  manages: boolean;
}

/** Who made it, the room's moderators, and the client's managers. */
export const mayChange = (schedule: Pick<Schedule, "createdBy">, { userId, state, manages }: Changer): boolean =>
  schedule.createdBy === userId || manages || (state !== null && powerOf(state, userId) >= 50);

/** What `!schedules` says, and what it changes. */
export function scheduleCommand(
  rest: string,
  by: Changer & { now: number },
  schedules: ScheduleView[],
): { words: string; change?: ScheduleChange } {
  const [, verb = "", id = ""] = /(?:^|\s)(pause|resume|remove)\s+([\w-]+)$/i.exec(rest) ?? [];
  if (verb) return change(verb.toLowerCase(), id.toLowerCase(), by, schedules);
  if (/(?:^|\s)(pause|resume|remove)$/i.test(rest)) return { words: `Which one? ${HOW}` };
  if (schedules.length === 0) return { words: "Nothing is planned in this room. Ask an agent that may plan tasks." };
  const lines = schedules.slice(0, SHOWN).map(line);
  if (schedules.length > SHOWN) lines.push(`• and ${schedules.length - SHOWN} more`);
  return { words: ["Planned in this room:", ...lines, "", HOW].join("\n") };
}

function line({ id, agentName, createdBy, createdByName, task, time, state, problem, nextAt }: ScheduleView): string {
  const next =
    state === "active" && nextAt !== null
      ? `next at ${nextText(nextAt, time)}`
      : `paused${problem ? `: ${problem}` : ""}`;
  const who = oneLine(createdByName ?? nameIn(createdBy), 60);
  return `• ${shortId(id)} ${agentName}, ${timeText(time)}, for ${who} (${next}): ${oneLine(task, 200)}`;
}

function change(
  verb: string,
  wanted: string,
  by: Changer & { now: number },
  schedules: ScheduleView[],
): { words: string; change?: ScheduleChange } {
  const found = wanted.length >= 4 ? schedules.filter(({ id }) => id.startsWith(wanted)) : [];
  const [schedule] = found;
  if (!schedule || found.length > 1)
    return { words: `No planned task of this room has the id ${wanted}. \`!schedules\` lists them.` };
  if (!mayChange(schedule, by))
    return {
      words:
        "Only the person who made it, the room's moderators and the client's managers may change it. Ask one of them.",
    };
  const name = `“${oneLine(schedule.task)}”`;
  if (verb === "remove")
    return { words: `${name} is removed.`, change: { id: schedule.id, state: "removed", nextAt: null } };
  if (verb === "pause")
    return { words: `${name} is paused.`, change: { id: schedule.id, state: "paused", nextAt: null } };
  const nextAt = whenResumed(schedule, by.now);
  if (nextAt === null) return { words: `The time of ${name} is over. Ask for it anew.` };
  return {
    words: `${name} goes on, next at ${nextText(nextAt, schedule.time)}.`,
    change: { id: schedule.id, state: "active", nextAt },
  };
}

import { number } from "./numbers.ts";

const MINUTES: readonly [number, string, string][] = [
  [10_080, "week", "weeks"],
  [1440, "day", "days"],
  [60, "hour", "hours"],
  [1, "minute", "minutes"],
];

function every(minutes: number): string {
  const [size, one, many] = MINUTES.find(([unit]) => minutes % unit === 0) ?? [1, "minute", "minutes"];
  const count = minutes / size;
  return count === 1 ? `Every ${one}` : `Every ${number.format(count)} ${many}`;
}

/** Texts of: schedules. */
export const schedulesTexts = {
  title: "Schedules",
  lead: "What agents do by themselves, later or again and again. Each acts for the person whose it is.",
  leadOwn: "What agents do for you by themselves, later or again and again.",
  label: "Schedules, newest first",
  task: "What",
  agent: "Agent",
  room: "Room",
  unnamed: "a room without a name",
  for: "For",
  time: "When",
  next: "Next",
  last: "Last",
  state: "State",
  states: { active: "Runs", paused: "Paused", done: "Over", removed: "Removed" },
  anyState: "Any state",
  times: (count: number) => (count === 0 ? "not yet" : count === 1 ? "ran once" : `ran ${number.format(count)} times`),
  every,
  once: (at: string) => `Once, ${at}`,
  cron: (pattern: string, zone: string) => `${pattern} (${zone})`,
  untrusted: (what: string) => `Made after reading ${what}, which nobody vouches for.`,
  pause: "Pause",
  resume: "Resume",
  remove: "Remove",
  nameOf: (verb: string, task: string) => `${verb}: ${task.slice(0, 60)}`,
  removeTitle: "Remove this schedule?",
  removeText: "It does not run again. What runs now goes on.",
  removed: "It does not run again.",
  paused: "It does not run until it is resumed.",
  resumed: "It runs again at its next time.",
  none: "No schedules",
  noneText: "Ask an agent in a room to do something later or every week, or make a schedule here.",
  noneFits: "No schedule fits",
  noneFitsText: "Choose another state.",
  make: "New schedule",

  form: {
    title: "New schedule",
    agent: "Agent",
    agentHelp: "It has to be in the room.",
    room: "Room",
    roomHelp: "Where it answers. You have to be in it.",
    roomHelpOperator: "Where it answers.",
    noRooms: "You are in no room with an agent.",
    person: "For whom",
    personHelp: "Somebody who is in the room. The agent may do there what they may.",
    personPlaceholder: "Type a part of the name",
    roomFirst: "Choose the room first",
    noPerson: "Nobody in the room is called that.",
    task: "What it is told",
    taskPlaceholder: "Sum up what was decided here this week.",
    how: "When",
    kinds: { every: "Again and again", once: "Once", cron: "By a pattern" },
    number: "Every",
    unit: "Unit",
    units: { 1: "minutes", 60: "hours", 1440: "days", 10080: "weeks" },
    at: "Date and time",
    cron: "Cron pattern",
    cronHelp: "Minute, hour, day of the month, month, day of the week: “0 9 * * 1” is Mondays at nine.",
    zone: "Time zone",
    make: "Make it",
    made: "It runs by itself from now on.",
  },
};

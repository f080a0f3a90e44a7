import type { AttentionView } from "../../api/home.ts";
import { compact, number } from "./numbers.ts";

const names = (all: readonly string[], count: number | null) => {
  const more = (count ?? all.length) - all.length;
  return more > 0 ? `${all.join(", ")} and ${number.format(more)} more` : all.join(", ");
};
const many = (count: number | null) => ((count ?? 0) >= 1000 ? "1,000 or more" : number.format(count ?? 0));
const states: Record<string, string> = {
  failed: "cannot be started",
  crash_loop: "dies again and again",
  restarting: "is being restarted",
  stopped: "is stopped",
  creating: "is being made",
  starting: "is starting",
  removing: "is being removed",
};

interface Line {
  title: string;
  text: string;
}

/** What each kind of line says: what happened, and what to do. */
const attention: Record<AttentionView["kind"], (item: AttentionView) => Line> = {
  client_down: ({ names: [state = ""], text, link }) => ({
    title: `The homeserver ${states[state] ?? "does not run"}`,
    text: [
      text || "Nobody can chat until it runs.",
      link ? "Open it to see its log." : "Your operator sees this too.",
    ].join(" "),
  }),
  approvals_waiting: ({ count }) => ({
    title: count === 1 ? "An agent waits for a person" : `Agents wait for people ${many(count)} times`,
    text: "They ask before they do something. Look at what it is, and allow or refuse it.",
  }),
  no_model: () => ({
    title: "No model answers yet",
    text: "Agents cannot answer without one. Add a model, or take one that was found.",
  }),
  failed_runs: ({ count }) => ({
    title: count === 1 ? "One answer failed in the last hour" : `${many(count)} answers failed in the last hour`,
    text: "Open them to see why; each says what to do, and can be run again.",
  }),
  calls_unknown: ({ count, names: tools }) => ({
    title:
      count === 1
        ? "Of one thing that an agent did, nobody knows whether it happened"
        : `Of ${many(count)} things that agents did, nobody knows whether they happened`,
    text: `${names(tools, tools.length)}, in the last hour. It is not done again by itself: look whether it happened before it is asked for once more.`,
  }),
  calls_failed: ({ count, names: tools }) => ({
    title:
      count === 1
        ? "One thing that an agent was to do failed in the last hour"
        : `${many(count)} things that agents were to do failed in the last hour`,
    text: `${names(tools, tools.length)}: a person had allowed it, or it was to go outside. Open it to see why.`,
  }),
  token_cap: ({ count }) => ({
    title: `${count}% of today's tokens are used`,
    text: "At 100% agents answer nobody until midnight UTC. See who uses them, and ask your operator for a higher cap where that is right.",
  }),
  team_problem: ({ names: [team = ""], text }) => ({
    title: `The team ${team} could not be completed`,
    text: text ?? "",
  }),
  backup_failed: ({ text }) => ({
    title: "The last backup failed",
    text: text || "Open the homeserver and try again.",
  }),
  backup_old: () => ({ title: "The last backup is older than a week", text: "Make one now: it takes a minute." }),
  backup_none: () => ({ title: "There is no backup yet", text: "Make one now: it takes a minute." }),
  no_second_factor: ({ count, names: who }) => ({
    title: count === 1 ? "One operator has no second factor" : `${many(count)} operators have no second factor`,
    text: `${names(who, count)}: a stolen password would be enough to get in. Each adds one under “Your account”.`,
  }),
  agents_draft: ({ count, names: who }) => ({
    title:
      count === 1
        ? "One agent has changes that nobody hears yet"
        : `${many(count)} agents have changes that nobody hears yet`,
    text: `${names(who, count)}: publish the draft, or discard it.`,
  }),
  agents_paused: ({ count, names: who }) => ({
    title: count === 1 ? "One agent is paused" : `${many(count)} agents are paused`,
    text: `${names(who, count)}: answers nobody until it is resumed.`,
  }),
  agents_roomless: ({ count, names: who }) => ({
    title: count === 1 ? "One agent is in no room" : `${many(count)} agents are in no room`,
    text: `${names(who, count)}: nobody meets it. Add it to a room.`,
  }),
  invites_expiring: ({ count }) => ({
    title: count === 1 ? "An invite link ends within two days" : `${many(count)} invite links end within two days`,
    text: "Whoever still needs it will want a new one.",
  }),
  invites_unused: ({ count }) => ({
    title: count === 1 ? "An invite link was never used" : `${many(count)} invite links were never used`,
    text: "Made more than three days ago. Ask whether it arrived, or withdraw it.",
  }),
  people_suspended: ({ count }) => ({
    title: count === 1 ? "One person is suspended" : `${many(count)} people are suspended`,
    text: "They can read and not write. Let them in again, or end the account.",
  }),
};

/** Texts of: home. */
export const homeTexts = {
  operatorTitle: "Home",
  hello: (name: string) => `Hello, ${name}`,
  attention,
  attentionTitle: "Needs a look now",
  attentionList: "What needs a look",
  allGood: "All is well",
  allGoodOperator: "Every client runs, nothing failed in the last hour, and the backups are fresh.",
  allGoodClient: "Nothing failed in the last hour, no draft waits, and every agent is in a room.",
  allGoodNoAgents: "Nothing failed in the last hour, and no draft waits. No agent is in a room yet.",
  clientsTitle: "Clients",
  allClients: "All clients",
  clientCounts: (people: number, agents: number) =>
    `${people === 1 ? "1 person" : `${number.format(people)} people`} · ${agents === 1 ? "1 agent" : `${number.format(agents)} agents`}`,
  clientNeedsLook: "Needs a look",
  beginTitle: "Begin here",
  begin: {
    demo: {
      title: "Open Demo and make an agent",
      text: "A client to try everything with: its team, its rooms and three agents are there already.",
      go: "Make an agent in Demo",
    },
    client: {
      title: "Add your first client",
      text: "A company with a homeserver, people and agents of its own. Its owner gets a link and does the rest.",
      go: "Add a client",
    },
  },
  today: "Today",
  todayHint: "Since midnight UTC, when the day's tokens begin anew.",
  answers: "Answers",
  tokens: "Tokens",
  tokensOf: (cap: number) => `of ${compact.format(cap)} a day`,
  peopleActive: "People who were here",
  newPeople: "New people",
  number: (value: number) => (value >= 100_000 ? compact.format(value) : number.format(value)),
  stepsTitle: "Three steps to the first answer",
  steps: {
    team: { title: "Make a team", text: "A space with rooms, from a template or blank.", go: "Make a team" },
    agent: {
      title: "Make an agent",
      text: "From a template in a minute: try it, publish it, add it to a room.",
      go: "Make an agent",
    },
    people: {
      title: "Invite people",
      text: "They open a link, choose a name and are in the rooms.",
      go: "Invite people",
    },
  },
  stepStates: { done: "Done", next: "Next", later: "Then" },
  roomsTitle: "Your rooms",
  noRooms: "You are in no room yet",
  noRoomsText: "Ask a manager of your company to add you to a team. Its rooms and agents then stand here.",
  noTeam: "You are in no team yet",
  noTeamText:
    "Make one, or open the menu of one that is there and choose “Add me”. Its rooms and agents then stand here.",
  toTeams: "Teams & rooms",
  noAgentsHere: "No agents here.",
  people: (count: number) => (count === 1 ? "1 person" : `${number.format(count)} people`),
  openRoom: "Open in Element",
  openRoomNamed: (room: string) => `Open in Element: ${room}`,
  inYourApp: (name: string) => `Open it in your Matrix app: ${name}`,
  unnamed: "Direct chat",
  howTitle: "How to talk to agents",
  how: [
    "Open a room in Element and mention the agent: @ and its name, then your question.",
    "Or write to it directly: start a chat with it, as with anyone.",
    "Reply to its answer to go on. !help in a room says who is there.",
    "❌ on an answer stops it, 🔁 asks once more, 👍 and 👎 tell its makers what was good.",
  ],
  element: "Open Element in this browser",
  elementOther: (url: string) => `In Element, choose “Other homeserver” and type ${url}`,
  questionsTitle: "What you asked",
  noQuestions: "You have asked nothing yet",
  noQuestionsText: "Mention an agent in one of your rooms. Your questions and how they went then stand here.",
  erased: "(the text was erased)",
  asked: (agent: string, room: string) => `${agent} in ${room}`,
  openQuestion: "Open in Element",
  runStates: {
    queued: "waits",
    running: "is being written",
    done: "answered",
    stopped: "stopped",
    superseded: "asked anew",
    failed: "failed",
  } as Record<string, string>,
};

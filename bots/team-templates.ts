/** Teams to begin with: rooms with a topic and a first message, and agents of `templates/` in them. */
import { AppError } from "../core/errors.ts";

export interface TeamTemplate {
  id: string;
  /** Also the team's name, unless another one is given. */
  title: string;
  description: string;
  rooms: { name: string; topic: string; welcome: string }[];
  /** Ids of agent templates, each with the names of the rooms it comes into. */
  agents: { templateId: string; rooms: string[] }[];
}

const HELP = "Write !help to see who is here and how to ask.";

export const TEAM_TEMPLATES: TeamTemplate[] = [
  {
    id: "marketing",
    title: "Marketing",
    description: "Campaigns, texts and customer stories, with a writer, a planner and an interviewer at hand.",
    rooms: [
      {
        name: "general",
        topic: "What concerns all of us. Ask an agent by mentioning it with @ and its name.",
        welcome: `Welcome to Marketing. Talk here about whatever concerns everybody. To ask an agent, mention it: “@Writer make this shorter: …”. ${HELP}`,
      },
      {
        name: "campaigns",
        topic: "Plans, texts and numbers of our campaigns. One thread for each campaign keeps it together.",
        welcome: `Plan campaigns here. Try “@Planner plan a four-week campaign for …” and let @Writer draft the texts. Begin a thread for each campaign. ${HELP}`,
      },
      {
        name: "customer stories",
        topic: "Interviews and case studies on their way.",
        welcome: `Customer stories begin here: “@Interviewer interview me about our work with …” asks one question at a time and writes the story up. ${HELP}`,
      },
    ],
    agents: [
      { templateId: "writer", rooms: ["general", "campaigns", "customer stories"] },
      { templateId: "planner", rooms: ["general", "campaigns"] },
      { templateId: "interviewer", rooms: ["general", "customer stories"] },
    ],
  },
  {
    id: "support",
    title: "Support",
    description: "Requests come in, are sorted by urgency and get a drafted answer, in the customer's language.",
    rooms: [
      {
        name: "requests",
        topic: "Paste requests here: they are sorted, and a first answer is drafted. One thread for each request.",
        welcome: `Paste a request and mention @Triage: it says how urgent it is, who should take it, what is missing, and drafts a first reply. Go on in a thread. ${HELP}`,
      },
      {
        name: "answers",
        topic: "Answers worth keeping, and their translations.",
        welcome: `Work on answers here. “@Translator into French: …” translates a reply; a person sends it. ${HELP}`,
      },
      {
        name: "escalations",
        topic: "What needs a person with a decision today.",
        welcome: `Bring here what cannot wait. “@Triage what do we know about this?” sums up the thread for whoever takes over. ${HELP}`,
      },
    ],
    agents: [
      { templateId: "triage", rooms: ["requests", "escalations"] },
      { templateId: "translator", rooms: ["requests", "answers"] },
    ],
  },
  {
    id: "sales",
    title: "Sales",
    description: "Prepare talks, rehearse them, and write offers that sound like you.",
    rooms: [
      {
        name: "deals",
        topic: "Open deals. One thread for each customer.",
        welcome: `Begin a thread for each deal. “@Coach prepare me for a first call with …” gives you a page to go in with. ${HELP}`,
      },
      {
        name: "practice",
        topic: "Rehearse hard talks: the coach plays the customer.",
        welcome: `Practise here: “@Coach play a customer who thinks we are too expensive. I begin.” Stop at any time and ask how it went. ${HELP}`,
      },
      {
        name: "offers",
        topic: "Drafts of offers, mails and follow-ups.",
        welcome: `Draft offers and mails here. “@Writer make this mail shorter and warmer: …”. ${HELP}`,
      },
    ],
    agents: [
      { templateId: "sales-coach", rooms: ["deals", "practice"] },
      { templateId: "writer", rooms: ["offers"] },
    ],
  },
  {
    id: "project",
    title: "Project",
    description: "One project: its plan, its meetings and its day-to-day talk, with an assistant and a scribe.",
    rooms: [
      {
        name: "general",
        topic: "Day-to-day talk of the project.",
        welcome: `Welcome to the project. Ask @Planner what is next, or what is missing in the plan. ${HELP}`,
      },
      {
        name: "planning",
        topic: "The plan: who does what by when.",
        welcome: `The plan lives here. Begin with “@Planner our goal is … by …” and it asks for what it needs. Pin the plan you agree on. ${HELP}`,
      },
      {
        name: "meetings",
        topic: "Notes and minutes. Paste your notes and ask for decisions and tasks.",
        welcome: `Paste notes or discuss here, then ask “@Scribe write the minutes”. It separates what was decided from what was only said. ${HELP}`,
      },
    ],
    agents: [
      { templateId: "planner", rooms: ["general", "planning"] },
      { templateId: "scribe", rooms: ["meetings", "planning"] },
    ],
  },
  {
    id: "leadership",
    title: "Leadership",
    description: "A small room for decisions, one for meetings, one for what goes out to everybody.",
    rooms: [
      {
        name: "decisions",
        topic: "Decisions to make, one thread for each, and what was decided.",
        welcome: `One thread for each decision. “@Planner what would we have to know to decide this?” is a good beginning. ${HELP}`,
      },
      {
        name: "meetings",
        topic: "Agendas, notes, minutes.",
        welcome: `Paste your notes and ask “@Scribe write the minutes”. ${HELP}`,
      },
      {
        name: "announcements",
        topic: "Drafts of what everybody should hear.",
        welcome: `Draft here what goes out to all. “@Writer make this clear to somebody who was not there: …”. ${HELP}`,
      },
    ],
    agents: [
      { templateId: "planner", rooms: ["decisions"] },
      { templateId: "scribe", rooms: ["meetings", "decisions"] },
      { templateId: "writer", rooms: ["announcements"] },
    ],
  },
  {
    id: "software",
    title: "Software",
    description: "Reviews, planning and incidents of a team that builds software.",
    rooms: [
      {
        name: "general",
        topic: "What concerns the whole team.",
        welcome: `Welcome. Reviews have a room of their own, and so have incidents. ${HELP}`,
      },
      {
        name: "reviews",
        topic: "Paste a diff or a function. One thread for each.",
        welcome: `Paste a diff and ask “@Reviewer what would break in production?”. It reads what you paste and runs nothing. Go on in a thread. ${HELP}`,
      },
      {
        name: "planning",
        topic: "What is built next, by whom, until when.",
        welcome: `Plan here: “@Planner our goal for this sprint is …”. After a meeting, “@Scribe what did we decide?”. ${HELP}`,
      },
      {
        name: "incidents",
        topic: "Something is broken: one thread for each incident.",
        welcome: `One thread for each incident. Paste logs and ask @Reviewer; ask “@Scribe write what happened, in order” when it is over. ${HELP}`,
      },
    ],
    agents: [
      { templateId: "reviewer", rooms: ["reviews", "incidents"] },
      { templateId: "planner", rooms: ["general", "planning"] },
      { templateId: "scribe", rooms: ["planning", "incidents"] },
    ],
  },
];

/** Throws `not_found` with those that there are. */
export function teamTemplate(id: string): TeamTemplate {
  const found = TEAM_TEMPLATES.find((template) => template.id === id);
  if (found) return found;
  const ids = TEAM_TEMPLATES.map((one) => one.id).join(", ");
  throw new AppError("not_found", `There is no team template "${id}". Choose one of ${ids}.`);
}

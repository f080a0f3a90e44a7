import { whoHas } from "./approvals.ts";
import { number } from "./numbers.ts";
import { runsTexts } from "./runs.ts";

/** A group of tools in a person's words. `patterns`: what its lists of what it may touch mean; null where nothing can be listed. */
export interface GroupWords {
  title: string;
  text: string;
  patterns: string | null;
}

const addresses =
  "One a line: example.org, *.example.org, or with a path: https://example.org/docs, which also stands for what is below it.";

const groups: Record<string, GroupWords> = {
  room: {
    title: "Rooms",
    text: "Read, post, pin, invite, set the topic and make rooms, with no more rights than the person who asks.",
    patterns: "One a line: a room's name or its id, like general or team-*.",
  },
  people: { title: "People", text: "Ask somebody a question and wait for the reply.", patterns: null },
  web: {
    title: "Web",
    text: "Read pages, search, and call addresses of other systems.",
    patterns: addresses,
  },
  files: {
    title: "Files",
    text: "List, read and write the company's own files, and send them to the room.",
    patterns: "One a line: a folder with what is below it, like reports, or one file, like reports/march.md.",
  },
  mail: {
    title: "Mail",
    text: "Send mails through the company's mail server.",
    patterns: "One a line: an address, like ann@example.org, or *@example.org for everybody there.",
  },
  calculate: { title: "Sums", text: "Calculate exactly.", patterns: null },
  time: { title: "Time", text: "Know the date and time, in any time zone.", patterns: null },
  code: { title: "Programs", text: "Run small programs of its own, which reach nothing outside.", patterns: null },
  schedule: { title: "Schedules", text: "Do something later, or again and again.", patterns: null },
  agents: {
    title: "Other agents",
    text: "Hand work over to another agent and use its answer.",
    patterns: "One a line: an agent's name, like Planner.",
  },
  forms: { title: "Forms", text: "Use the form tools that managers made.", patterns: null },
};

const policies = {
  never: { title: "Never", text: "It does not know of these." },
  ask: { title: "Ask a person", text: "Somebody allows or refuses each call, in the room or here." },
  direct: { title: "Allowed in direct chats", text: "In a chat of one person and the agent; in rooms it asks." },
  allowed: { title: "Allowed", text: "Done without a question." },
};

const turns = "turns the direction of what follows";

/** What the commonest of them are. */
const HIDDEN: Record<string, string> = {
  "U+0009": "tab",
  "U+000D": "carriage return",
  "U+00A0": "space that does not break",
  "U+00AD": "hyphen that is not seen",
  "U+200B": "space without width",
  "U+200C": "keeps letters apart",
  "U+200D": "joins letters",
  "U+202D": turns,
  "U+202E": turns,
  "U+2066": turns,
  "U+2067": turns,
  "U+FEFF": "space without width",
};

/** Texts of: tools, in the panel and in an agent's form. */
export const toolsTexts = {
  title: "Tools",
  lead: "What agents can do besides answering. Which agent may do what is set on its own page.",
  tabs: { tools: "All tools", calls: "Calls", settings: "Settings" },
  groups,
  groupOf: (name: string): GroupWords => groups[name] ?? { title: name, text: "", patterns: addresses },
  risks: { low: "Low risk", medium: "Some risk", high: "High risk" },
  reads: { nothing: null, private: "Reads what is inside the company", untrusted: "Reads what nobody vouches for" },
  sends: {
    nothing: null,
    inside: "Changes something inside the company",
    address: "Tells an address what it asks for",
    outside: "Sends something outside",
  },
  none: "No tools",
  noneText: "Nothing is there that an agent could use.",
  roomOnly: "Works in rooms: try it with an agent",

  try: {
    button: "Try",
    buttonOf: (tool: string) => `Try ${tool}`,
    title: (tool: string) => `Try ${tool}`,
    /** By what a call of it takes out. */
    leads: {
      nothing: null,
      inside: "It is done for real, as if an agent did it: what it changes in the company is changed.",
      address: "It is done for real, as if an agent did it: the address is asked.",
      outside: "It is done for real, as if an agent did it: what it sends goes out.",
    },
    run: "Do it",
    askTitle: (tool: string) => `${tool} now?`,
    askText: "This is done for real, and cannot be taken back.",
    askYes: "Do it",
    result: "What an agent would get",
    noFields: "It needs nothing to be filled in.",
  },

  calls: {
    label: "Calls, newest first",
    tool: "Tool",
    anyTool: "All tools",
    agent: "Agent",
    anyAgent: "All agents",
    state: "State",
    anyState: "Any state",
    for: "For",
    when: "When",
    took: "Took",
    tried: "Tried here",
    details: "Details",
    detailsOf: (tool: string) => `Details: ${tool}`,
    openRun: "Look at the run",
    none: "No calls yet",
    noneText: "Each time an agent uses a tool, what it did and what came of it stands here.",
    noneFits: "No call fits these filters",
    noneFitsText: "Choose fewer filters.",
    noneHere: "None among the newest 2,000. Older ones can be looked through as well.",
    further: "Look further back",
  },

  call: {
    title: (tool: string) => `Tool: ${tool}`,
    states: {
      proposed: "Not begun",
      waiting: "Waits",
      approved: "Allowed",
      running: "Under way",
      done: "Done",
      failed: "Failed",
      refused: "Refused",
      declined: "Declined",
      unknown: "Outcome unknown",
      stopped: "Stopped",
    },
    arguments: "What it was given",
    result: "What came back",
    show: "Show what went in and came back",
    hide: "Hide what went in and came back",
    erased: "This was erased.",
    noArguments: "Nothing that could be read.",
    noResult: "Nothing yet.",
    redacted: "What looks like a password or key is left out.",
    untrusted: (what: string) => `This comes from ${what}, and nobody here vouches for it.`,
    untrustedFromHere: (what: string) =>
      `From here on the run has read something that nobody vouches for (${what}). It asks before it sends anything outside.`,
    untrustedFromStart: (what: string) =>
      `It began with something that nobody vouches for (${what}). It asks before it sends anything outside.`,
    took: (ms: number) => runsTexts.duration(ms),
    tokens: (count: number) => `${number.format(count)} tokens`,
    began: (agent: string) => `Run of ${agent}`,
    asked: (who: string | null, level: number | null) => `${who ?? whoHas(level ?? 50)} was asked.`,
    decided: {
      open: "Nobody has decided yet.",
      approved: (who: string) => `${who} allowed it`,
      declined: (who: string) => `${who} refused it`,
      answered: (who: string) => `${who} answered`,
      expired: "Nobody decided in time.",
      withdrawn: "The run ended before anybody decided.",
    },
    somebody: "Somebody",
    via: { reaction: "with a reaction", reply: "with a reply", panel: "in the panel" },
  },

  model: { title: "What the model is told", titleOf: (tool: string) => `What the model is told: ${tool}` },

  /** How arguments are written. */
  signs: {
    none: "No details are given.",
    asJson: "Show as JSON",
    asText: "Show as text",
    removed: "left out: it looks like a secret",
    word: (word: string) => ({ true: "Yes", false: "No", null: "Nothing" })[word] ?? word,
    kinds: {
      number: "number",
      boolean: "yes or no",
      null: "no value",
      text: "text",
      empty: "empty text",
    },
    size: (signs: number, lines: number) =>
      `${number.format(signs)} characters${lines > 1 ? ` on ${number.format(lines)} lines` : ""}. Scroll to read all of it.`,
    items: (count: number) => `${number.format(count)} entries. Scroll to read all of them.`,
    hidden: (code: string) => `${HIDDEN[code] ?? "a sign that cannot be seen"} (${code})`,
    space: "space",
    line: "new line",
    spaces: (count: number) => `${number.format(count)} spaces`,
    lines: (count: number) => `${number.format(count)} empty lines`,
  },

  /** In an agent's form. */
  field: {
    title: "Tools",
    help: "What it may do besides answering. What it may not, it does not know of. It never may more in a room than the person who asks.",
    policies,
    /** Of what is allowed: when a person is asked all the same. */
    allowedBut: {
      outside:
        "Done without a question, except when it would send something outside after reading something from outside.",
      rooms:
        "Done without a question, except when it would write into a room that other companies see after reading something from outside.",
    },
    policyOf: (group: string) => `${group}: may it?`,
    asGroup: (policy: string) => `As the group (${policy})`,
    more: "Boundaries",
    moreOf: (group: string) => `Boundaries: ${group}`,
    less: "Hide boundaries",
    single: "Single tools",
    allow: "Only these",
    allowEmpty: "Empty: everything.",
    refuse: "Never these",
    refuseHelp: "These are refused even when the list above allows them.",
    perRun: "Calls in one answer",
    perHour: "Calls an hour",
    perDay: "Calls a day",
    tokensPerDay: "Tokens a day",
    noLimit: "Empty: no limit.",
    level: "Who may approve",
    levels: { 0: "Everybody in the room", 50: "Moderators of the room", 100: "Administrators of the room" },
    levelOther: (level: number) => `People with the power level ${level}`,
    levelHelp: "Managers of the company may as well, here.",
    gone: "Not there any more",
    forget: (name: string) => `Forget the boundaries of ${name}`,
    set: "has boundaries",
    loading: "Which tools there are is being loaded …",
  },

  /** For people who ask it. */
  may: {
    title: "What it may do",
    nothing: "It answers, and uses no tools.",
    policies: {
      ask: "after a person has allowed it",
      direct: "in a direct chat; in rooms after a person has allowed it",
      allowed: "by itself",
    },
  },
};

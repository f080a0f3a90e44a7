/** Reads answers out of a room's events, as a client shows them: the newest edit is the text. Pure. */

/** An event as `/sync` and `/messages` give it. */
export interface RoomEvent {
  event_id: string;
  room_id?: string;
  sender: string;
  type: string;
  state_key?: string;
  origin_server_ts: number;
  content: Content;
  redacts?: string;
  unsigned?: { redacted_because?: unknown; transaction_id?: string };
}

export interface Content {
  msgtype?: string;
  body?: string;
  format?: string;
  formatted_body?: string;
  membership?: string;
  "m.new_content"?: Content;
  "m.mentions"?: { user_ids?: string[] };
  "m.relates_to"?: {
    rel_type?: string;
    event_id?: string;
    key?: string;
    "m.in_reply_to"?: { event_id?: string };
  };
  "dev.agentopia.run"?: { run: string; question: string; hops: number; final: boolean };
  [key: string]: unknown;
}

/** One message of an agent that answers a question. A long answer has several, of which the last says that it is final. */
export interface Answer {
  eventId: string;
  roomId: string | undefined;
  sender: string;
  question: string;
  /** Every run that wrote into it, in order. */
  runs: string[];
  msgtype: string;
  text: string;
  html: string | undefined;
  /** The finished text is there. */
  final: boolean;
  /** Events that say "this is the end": more than one for a run means that something was done twice. */
  finals: { eventId: string; run: string }[];
  /** Texts in the order in which they were shown. */
  versions: string[];
  threadRoot: string | undefined;
  replyTo: string | undefined;
  mentions: string[];
}

/** All messages that answer something, oldest first. */
export function answersIn(events: Iterable<RoomEvent>): Answer[] {
  const answers = new Map<string, Answer>();
  const known = new Set<string>();
  for (const event of events) {
    if (event.type !== "m.room.message" || known.has(event.event_id)) continue;
    known.add(event.event_id);
    const relation = event.content["m.relates_to"];
    const edited = relation?.rel_type === "m.replace" ? answers.get(relation.event_id ?? "") : undefined;
    if (edited) edit(edited, event);
    else if (relation?.rel_type !== "m.replace") start(answers, event);
  }
  return [...answers.values()];
}

/** The messages that answer one question. */
export const answersTo = (events: Iterable<RoomEvent>, question: string): Answer[] =>
  answersIn(events).filter((answer) => answer.question === question);

function start(answers: Map<string, Answer>, event: RoomEvent): void {
  const run = event.content["dev.agentopia.run"];
  const relation = event.content["m.relates_to"];
  const question = run?.question ?? relation?.["m.in_reply_to"]?.event_id;
  if (!run || !question) return;
  const answer: Answer = {
    eventId: event.event_id,
    roomId: event.room_id,
    sender: event.sender,
    question,
    runs: [],
    msgtype: "",
    text: "",
    html: undefined,
    final: false,
    finals: [],
    versions: [],
    threadRoot: relation?.rel_type === "m.thread" ? relation.event_id : undefined,
    replyTo: relation?.["m.in_reply_to"]?.event_id,
    mentions: event.content["m.mentions"]?.user_ids ?? [],
  };
  answers.set(event.event_id, answer);
  show(answer, event, event.content);
}

function edit(answer: Answer, event: RoomEvent): void {
  // Only the sender's own edits count (client-server API, validity of replacement events).
  if (event.sender === answer.sender) show(answer, event, event.content["m.new_content"] ?? event.content);
}

function show(answer: Answer, event: RoomEvent, content: Content): void {
  const run = event.content["dev.agentopia.run"];
  answer.msgtype = content.msgtype ?? "";
  answer.text = content.body ?? "";
  answer.html = content.formatted_body;
  answer.versions.push(answer.text);
  answer.final = run?.final === true;
  if (run && answer.runs.at(-1) !== run.run) answer.runs.push(run.run);
  if (run?.final) answer.finals.push({ eventId: event.event_id, run: run.run });
}

/**
 * What is wrong with the answers to these questions, as sentences: a question must have exactly one message that answers it
 * from each of `agents`, finished once and with the expected text. Empty: every question was answered exactly once.
 */
export function countingFaults(events: RoomEvent[], questions: Iterable<{ id: string; marker: string }>): string[] {
  const byQuestion = Map.groupBy(answersIn(events), (answer) => answer.question);
  const faults: string[] = [];
  for (const { id, marker } of questions) {
    const answers = byQuestion.get(id) ?? [];
    const [answer] = answers;
    if (!answer) faults.push(`${marker} was lost: no answer.`);
    else if (answers.length > 1) faults.push(`${marker} was answered ${answers.length} times.`);
    else if (!answer.final) faults.push(`${marker} has an answer that never ended: "${answer.text}".`);
    else if (answer.finals.length > 1)
      faults.push(
        `${marker} (${answer.eventId}) was finished ${answer.finals.length} times: ${JSON.stringify(answer.finals)}.`,
      );
    else if (!answer.text.includes(`Answer to ${marker}`)) faults.push(`${marker} got "${answer.text.slice(0, 120)}".`);
  }
  return faults;
}

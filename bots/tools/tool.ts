/**
 * The port that every tool fills: built in, made of a form, or one of an MCP server. A tool says what it is and what it touches, and does it when it
 * is told; whether it may, whom to ask and what it costs is decided outside of it (decide.ts).
 */
import type { Context } from "../../core/context.ts";
import type { JsonSchema } from "../../migrations/types.ts";

/** What a call touches, as far as boundaries are drawn around it. */
export interface Target {
  kind: "address" | "room" | "folder" | "recipient" | "agent";
  /** An address (URL), a room id, a path, a mail address, an agent's name. */
  value: string;
}

/** What the agent and its person must be able to do in a room for this call. */
export interface RoomNeed {
  /** As the model wrote it: a room id, an alias, or a name; "" for the room of the run. */
  room: string;
  /** `read`: be in it. Otherwise the power level that the homeserver asks for this: an event type to send, a state event type to set, or to invite. */
  does: "read" | { send: string } | { set: string } | "invite";
}

export interface Tool {
  /** What models call it: a–z, 0–9, "_", at most 64 characters. */
  name: string;
  /** Groups are what managers allow at once: room, people, web, files, mail, code, time, agents, forms, or an MCP server's name. */
  group: string;
  /** For people, like "Send a mail". */
  title: string;
  /** For people: what it does, in one short sentence. */
  summary: string;
  /** For the model: what it does, when to use it, what it returns. */
  description: string;
  input: JsonSchema;
  /** What people call its arguments, where the schema's titles do not say it. */
  labels?: Record<string, string>;
  /** What ♾️ lets an agent do, where the title does not say how far it goes: "send mail", "whatever is in it and to whomever". */
  always?: { does: string; whatever: string };
  risk: "low" | "medium" | "high";
  /** What its result is: from inside the client, or from somewhere that nobody vouches for. */
  reads: "nothing" | "private" | "untrusted";
  /**
   * Whether a call takes something out of the client. `address`: only by the address that it asks for. `inside`: to people or files of the client.
   */
  sends: "nothing" | "inside" | "address" | "outside";
  /** It is about what is the company's own, wherever it is asked: where somebody of another company asks, somebody here agrees first. */
  ofCompany?: boolean;
  /** True for a call that takes something outside although the tool's calls mostly do not. */
  sendsOutside?(args: Args): boolean;
  /** Doing it twice is the same as doing it once: then a call that a crash cut off is simply done again. */
  repeatable: boolean;
  /** Longest time for one call in milliseconds; 60 s when not set. What waits for people does not count. */
  timeoutMs?: number;
  /** What this call touches; arguments have passed the schema. */
  targets?(args: Args): Target[];
  /** The rooms that it needs something in. The caller finds them (`call.rooms`, in this order) and refuses what person or agent may not. */
  rooms?(args: Args): RoomNeed[];
  /**
   * What it wants to do, after "Writer wants to": "send a mail to ann@example.org about “Offer”". No line breaks, no full stop. Short: the arguments
   * stand beside it wherever it is decided.
   */
  sentence(args: Args): string;
  /**
   * Does it. Throws AppError with a sentence that the model gets as the result; `OutcomeUnknown` when it may have happened or not;
   * the signal's reason when aborted.
   */
  run(call: ToolRun): Promise<ToolResult>;
}

export type Args = Record<string, unknown>;

/** Whether this call takes something out of the client. */
export const sendsOf = (tool: Pick<Tool, "sends" | "sendsOutside">, args: Args): Tool["sends"] =>
  tool.sendsOutside?.(args) ? "outside" : tool.sends;

/** What a tool is given to work with. */
export interface ToolRun {
  ctx: Context;
  tenantId: string;
  /** Row in `tool_calls`: what it begins elsewhere takes its ids from this, so that twice is once. */
  callId: string;
  args: Args;
  agent: { id: string; name: string; userId: string; deviceId: string };
  /** Null when a manager tries the tool from the panel. */
  run: { id: string; source: "room" | "try" | "task"; hops: number; untrusted: string | null } | null;
  /** The room of the run, `try:…` beside a form. Null when a manager tries the tool. */
  roomId: string | null;
  threadRoot: string | null;
  /** Matrix user id of the person for whom it acts, or `operator:<name>`. */
  person: string;
  /** The rooms that it asked for by `rooms`, in the same order. */
  rooms: FoundRoom[];
  /**
   * Whether the agent's boundaries take in what the call comes to touch while it is done: an address that another one led to, a file in a folder. Not set when
   * a manager tries the tool, for whom there are none.
   */
  mayTouch?(target: Target): boolean;
  /** Largest result in characters: more is cut by the caller with a remark. */
  maxChars: number;
  signal: AbortSignal;
}

export interface FoundRoom {
  roomId: string;
  name: string | null;
  /** Federates with other servers: what is said there goes outside. */
  federated: boolean;
}

export type ToolResult =
  | {
      /** What the model gets. */
      text: string;
      /** Where it comes from, when nobody vouches for it: "the page https://…". Not set for a tool that `reads: "untrusted"`: then its title. */
      untrusted?: string | null;
      /** Model tokens that it took. */
      tokens?: number;
    }
  /** It began something whose end is written into the call's row (`finishCall` in calls.ts) by somebody else: a person or another run. */
  | { waiting: true };

/** The call may have happened or not: nobody does it again by itself. The sentence says what is known. */
export class OutcomeUnknown extends Error {
  constructor(sentence: string, options: ErrorOptions = {}) {
    super(sentence, options);
    this.name = "OutcomeUnknown";
  }
}

/** Where tools come from. `list` is asked for each run of an agent that has tools: keep what is slow. */
export interface ToolSource {
  /** `names`: others are not wanted, though they may be among them. */
  list(ctx: Context, tenantId: string, names?: readonly string[]): Promise<Tool[]>;
}

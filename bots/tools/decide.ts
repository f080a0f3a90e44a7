/**
 * May this call be made? Pure: everything that counts is in what it is given, and test/unit/decide.test.ts is its table. The homeserver holds the levels in
 * rooms once more, and the counters are counted in the database (counts.ts) when a call begins.
 */
import type { AgentTools, ToolBounds } from "../../migrations/types.ts";
import { type Aimed, matches } from "./patterns.ts";
import type { Tool } from "./tool.ts";

export interface Asking {
  agent: string;
  bounds: AgentTools;
  tool: Pick<Tool, "name" | "group" | "title" | "sends" | "ofCompany">;
  targets: Aimed[];
  rooms: RoomRights[];
  /** For whom it acts: nobody is known for strangers' bots. */
  person: string | null;
  /** They are of another company, or nobody is known. */
  stranger: boolean;
  /** A chat of one person and the agent, or the chat beside its form. */
  direct: boolean;
  used: Used;
  /** "Always in this room for this tool" holds. */
  granted: boolean;
  /** A person has approved this very call. */
  approved: boolean;
  /** What untrusted thing the run has read, if any. */
  untrusted: string | null;
  /** Every target stands literally in what people said or what the run has read: asking for it tells nobody anything new. */
  said: boolean;
}

/** What agent and person may in a room of the call. */
export interface RoomRights {
  name: string;
  agentJoined: boolean;
  personJoined: boolean;
  agentLevel: number;
  personLevel: number;
  /** The level that it takes there. */
  needed: number;
  /** What is said there goes to other servers. */
  federated: boolean;
  /** It is written into this room. */
  writes: boolean;
}

/** Calls that were begun, by tool and by group. */
export interface Used {
  run: Record<string, number>;
  hour: Record<string, number>;
  day: Record<string, number>;
  tokens: Record<string, number>;
}

export type Verdict =
  | { kind: "allow" }
  /** A person with `level` in the room decides. `why`: a sentence. */
  | { kind: "ask"; level: number; why: string; grantable: boolean }
  | { kind: "refuse"; reason: string };

const APPROVER = 50;

export function decide(asking: Asking): Verdict {
  const { agent, tool, bounds } = asking;
  const both = boundsOf(bounds, tool);
  const policy = both.find(({ policy }) => policy !== undefined)?.policy ?? "never";
  if (policy === "never")
    return refuse(`${agent} may not use "${tool.title}". A manager can allow it on the agent's page.`);
  const outside = outOfBounds(asking, both) ?? withoutRight(asking) ?? usedUp(asking);
  if (outside) return refuse(outside);
  if (asking.approved) return { kind: "allow" };
  const level = both.find(({ level }) => level !== undefined)?.level ?? APPROVER;
  const leak = leaks(asking, both) ?? givenAway(asking);
  if (leak) return { kind: "ask", level, why: leak, grantable: false };
  const asks = policy === "ask" || (policy === "direct" && !asking.direct);
  if (!asks || asking.granted) return { kind: "allow" };
  const why =
    policy === "direct"
      ? `In rooms a person approves "${tool.title}".`
      : `"${tool.title}" is approved by a person each time.`;
  return { kind: "ask", level, why, grantable: true };
}

/** The tool's own boundaries, then its group's. */
export function boundsOf(bounds: AgentTools, tool: Pick<Tool, "name" | "group">): ToolBounds[] {
  const own = Object.hasOwn(bounds, tool.name) ? bounds[tool.name] : undefined;
  const group = tool.name !== tool.group && Object.hasOwn(bounds, tool.group) ? bounds[tool.group] : undefined;
  return [own, group].filter((one) => one !== undefined);
}

/** Whether these boundaries take in what a call comes to touch while it is done. */
export const takesIn = (bounds: AgentTools, tool: Pick<Tool, "name" | "group">, target: Aimed): boolean =>
  outOfBounds({ agent: "", targets: [target] }, boundsOf(bounds, tool)) === null;

/** Whether an agent with these boundaries is shown the tool at all. */
export function isOffered(bounds: AgentTools, tool: Pick<Tool, "name" | "group">): boolean {
  const policy = boundsOf(bounds, tool).find(({ policy }) => policy !== undefined)?.policy;
  return policy !== undefined && policy !== "never";
}

const refuse = (reason: string): Verdict => ({ kind: "refuse", reason });

function outOfBounds({ agent, targets }: Pick<Asking, "agent" | "targets">, both: ToolBounds[]): string | null {
  for (const target of targets) {
    if (both.some(({ refuse = [] }) => refuse.some((pattern) => matches(pattern, target, "refuse"))))
      return `${agent} may not go to ${target.value}: a manager excluded it.`;
    const outside = both.some(
      ({ allow = [] }) => allow.length > 0 && !allow.some((pattern) => matches(pattern, target)),
    );
    if (outside) return `${agent} may not go to ${target.value}: it is not among what a manager allowed.`;
  }
  return null;
}

/** An agent may no more in a room than the person for whom it acts. */
function withoutRight({ agent, rooms, person }: Asking): string | null {
  for (const room of rooms) {
    if (person === null) return `Nobody is known for whom ${agent} acts, so it may do nothing in ${room.name}.`;
    if (!room.agentJoined) return `${agent} is not in ${room.name}. Invite it there first.`;
    if (!room.personJoined) return `Whoever asked is not in ${room.name}, so ${agent} may do nothing there for them.`;
    if (room.agentLevel < room.needed)
      return `${agent} may not do this in ${room.name}: it takes the power level ${room.needed} there.`;
    if (room.personLevel < room.needed)
      return `Whoever asked may not do this in ${room.name} themselves: it takes the power level ${room.needed} there.`;
  }
  return null;
}

const LIMITS = [
  ["perRun", "run", "in one run"],
  ["perHour", "hour", "in an hour"],
  ["perDay", "day", "on one day"],
  ["tokensPerDay", "tokens", "on one day"],
] as const;

function usedUp({ agent, bounds, tool, used }: Asking): string | null {
  for (const key of tool.name === tool.group ? [tool.name] : [tool.name, tool.group]) {
    if (!Object.hasOwn(bounds, key)) continue;
    for (const [limit, unit, when] of LIMITS) {
      const most = bounds[key]?.[limit];
      if (most !== undefined && (used[unit][key] ?? 0) >= most)
        return limitReached(agent, tool.title, most, unit, when);
    }
  }
  return null;
}

export const limitReached = (agent: string, title: string, most: number, unit: keyof Used, when: string): string =>
  unit === "tokens"
    ? `${agent} has used up the ${most} tokens that "${title}" may take ${when}.`
    : `${agent} may use "${title}" ${most === 1 ? "once" : `${most} times`} ${when}, and has done so.`;

/**
 * Private data, untrusted content and a way out never meet without approval. An address that a manager allowed by name, or that stands in what was said
 * already, takes nothing out.
 */
function leaks({ agent, tool, targets, rooms, untrusted, said }: Asking, both: ToolBounds[]): string | null {
  if (untrusted === null) return null;
  const because = `${agent} has read ${untrusted}, which nobody vouches for`;
  if (rooms.some(({ federated, writes }) => federated && writes))
    return `${because}, and would now write into a room that other servers see.`;
  if (tool.sends === "outside") return `${because}, and would now send something outside.`;
  if (tool.sends !== "address") return null;
  const named = targets.every((target) =>
    both.some(({ allow = [] }) => allow.some((pattern) => isNamed(pattern) && matches(pattern, target))),
  );
  return said || (named && targets.length > 0)
    ? null
    : `${because}, and would now ask for an address that no person named.`;
}

/** What is the company's own is nobody else's to ask for. */
const givenAway = ({ agent, tool, stranger }: Asking): string | null =>
  stranger && tool.ofCompany
    ? `Whoever asked is of another company, and ${agent} would work for them with what is this company's own.`
    : null;

/** `*` alone, `*.org`, or any host with a path, names nobody. */
function isNamed(pattern: string): boolean {
  const [host = ""] = pattern.replace(/^[^/]*:\/\//, "").split("/");
  return /[\p{L}\p{N}-]+\.[\p{L}\p{N}-]+/u.test(host.replaceAll(/\*\.?/g, ""));
}

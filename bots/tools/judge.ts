/** Brings together what a decision needs to know, and decides. */
import type { Context } from "../../core/context.ts";
import { serverOf } from "../room-view.ts";
import type { Work } from "../work.ts";
import type { Turn } from "./calls.ts";
import { readUsed } from "./counts.ts";
import { decide, type Used, type Verdict } from "./decide.ts";
import { schemaHash } from "./hashes.ts";
import type { Found } from "./rights.ts";
import type { Step } from "./step.ts";
import { type Args, sendsOf, type Tool } from "./tool.ts";
import type { Toolbox } from "./toolbox.ts";

interface Wanted {
  tool: Tool;
  args: Args;
  found: Found[];
  approved: boolean;
  /** It has begun before and is among what was used, so its limits say nothing about it. */
  counted?: boolean;
}

export async function judge(ctx: Context, step: Step, wanted: Wanted): Promise<Verdict> {
  const { tool, args, found, approved, counted = false } = wanted;
  const { work, box } = step;
  const targets = tool.targets?.(args) ?? [];
  const roomTargets = found.map(({ room }) => ({
    kind: "room" as const,
    value: room.name ?? room.roomId,
    id: room.roomId,
  }));
  const used = counted ? NOTHING_USED : await usedBy(ctx, step, tool);
  const asking = {
    agent: work.definition.name,
    bounds: box.bounds,
    tool: { ...tool, sends: sendsOf(tool, args) },
    targets: [...targets, ...roomTargets],
    rooms: found.map(({ rights }) => rights),
    person: work.onBehalfOf,
    stranger: isStranger(work),
    direct: step.direct,
    used,
    granted: false,
    approved,
    untrusted: step.untrusted,
    said: targets.length > 0 && targets.every(({ value }) => wasSaid(value, step)),
  };
  const verdict = decide(asking);
  if (verdict.kind !== "ask" || !verdict.grantable) return verdict;
  return (await isGranted(ctx, work, tool)) ? decide({ ...asking, granted: true }) : verdict;
}

/** Operators have no server, and are no strangers. */
const isStranger = ({ onBehalfOf, serverName }: Work): boolean =>
  onBehalfOf === null || (onBehalfOf.startsWith("@") && serverOf(onBehalfOf) !== serverName);

const NOTHING_USED: Used = { run: {}, hour: {}, day: {}, tokens: {} };

async function usedBy(ctx: Context, { work, box, turns }: Step, tool: Tool): Promise<Used> {
  const used = await readUsed(ctx, { id: work.agentId, bounds: box.bounds }, tool);
  return { ...used, run: usedInRun(turns, box) };
}

function usedInRun(turns: Turn[], box: Toolbox): Record<string, number> {
  const used: Record<string, number> = {};
  for (const { tool, begun } of turns.flatMap(({ calls }) => calls)) {
    if (!begun) continue;
    const group = box.tools.get(tool)?.group;
    for (const key of new Set([tool, ...(group ? [group] : [])])) used[key] = (used[key] ?? 0) + 1;
  }
  return used;
}

/**
 * Whether an address stands in what people said or in what came from outside: who wrote it there knows it. What a tool repeats of its own arguments, or keeps of
 * what this run wrote (files, tasks), was said by nobody but the model.
 */
const wasSaid = (value: string, { heard, turns, box }: Step) =>
  heard.includes(value) ||
  turns.some(({ calls }) =>
    calls.some(
      ({ tool, state, result, arguments: args }) =>
        state === "done" &&
        box.tools.get(tool)?.reads === "untrusted" &&
        result?.includes(value) === true &&
        !repeats(args, value),
    ),
  );

/** Whether an address stands in a call's arguments, in whichever way a server that repeats them may write it. */
function repeats(args: Args | null, value: string): boolean {
  const texts: string[] = [];
  JSON.stringify(args, (key, item: unknown) => {
    texts.push(key, typeof item === "string" ? item : "");
    return item;
  });
  return folded(texts.join("\n")).includes(folded(value));
}

/** Letters of either case, escapes and escaped escapes undone, without what stands for a space. */
function folded(text: string): string {
  let plain = text;
  for (let round = 0; round < 3; round++) plain = plain.replaceAll(/(?:%[0-9a-f]{2})+/gi, decoded);
  return plain
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/[\s_+]+/g, "");
}

const decoded = (escaped: string): string => Buffer.from(escaped.replaceAll("%", ""), "hex").toString("utf8");

async function isGranted({ sql }: Context, work: Work, tool: Tool): Promise<boolean> {
  const rows = await sql`
    select 1 from grants where agent_id = ${work.agentId} and room_id = ${work.roomId} and tool = ${tool.name}
      and schema_hash = ${schemaHash(tool)} and revoked_at is null`;
  return rows.length > 0;
}

/** Brings what is new in a template into an agent that was made from it, without touching what people changed. Pure. */
import { isDeepStrictEqual } from "node:util";
import { diff3Merge } from "node-diff3";
import type { AgentDefinition, AgentLimits } from "../migrations/types.ts";

/** What a template says of an agent; its name and face are the agent's own. */
type Taken = Omit<AgentDefinition, "name" | "avatar" | "variables" | "limits">;
type Field = keyof Taken | `variables.${string}` | `limits.${keyof AgentLimits}`;

export interface FieldChange {
  field: Field;
  /** As it reads now and as it would; null: not there. */
  from: unknown;
  to: unknown;
}

export interface MergeConflict {
  field: Field;
  /** Both changed this: the agent's own text is kept, the template's is shown. Of instructions, the lines in question. */
  yours: unknown;
  template: unknown;
}

export interface TemplateMerge {
  definition: AgentDefinition;
  changes: FieldChange[];
  conflicts: MergeConflict[];
}

/**
 * Three-way merge by field, of instructions by line. `base` is the template as it was when it was taken last; null when nobody knows:
 * then everything that differs counts as the agent's own. `theirs` is the template now, `ours` what the agent has.
 */
export function mergeTemplate(
  base: AgentDefinition | null,
  theirs: AgentDefinition,
  ours: AgentDefinition,
): TemplateMerge {
  const [was, now, own] = [base ? flat(base) : null, flat(theirs), flat(ours)];
  const merged = new Map(own);
  const conflicts: MergeConflict[] = [];
  for (const field of new Set([...now.keys(), ...own.keys()])) {
    const sides = { was: was?.get(field), now: now.get(field), own: own.get(field) };
    const { value, disputed } = field === "instructions" ? mergeLines(sides) : mergeValue(sides, was !== null);
    if (value === undefined) merged.delete(field);
    else merged.set(field, value);
    for (const { yours, template } of disputed) conflicts.push({ field, yours, template });
  }
  const changes = [...new Set([...own.keys(), ...merged.keys()])]
    .filter((field) => !isDeepStrictEqual(own.get(field), merged.get(field)))
    .map((field) => ({ field, from: own.get(field) ?? null, to: merged.get(field) ?? null }));
  return { definition: unflat(merged, ours), changes, conflicts };
}

interface Sides {
  was: unknown;
  now: unknown;
  own: unknown;
}
type Disputed = { yours: unknown; template: unknown }[];

function mergeValue({ was, now, own }: Sides, known: boolean): { value: unknown; disputed: Disputed } {
  if (isDeepStrictEqual(own, now)) return { value: own, disputed: [] };
  if (known && isDeepStrictEqual(own, was)) return { value: now, disputed: [] };
  // Without a base a field of which the template says nothing is no change of the template.
  const changed = known ? !isDeepStrictEqual(now, was) : now !== undefined;
  return { value: own, disputed: changed ? [{ yours: own ?? null, template: now ?? null }] : [] };
}

function mergeLines({ was, now, own }: Sides): { value: unknown; disputed: Disputed } {
  const [ours, base, theirs] = [lines(own), lines(was), lines(now)];
  const merged: string[] = [];
  const disputed: Disputed = [];
  for (const { ok, conflict } of diff3Merge(ours, base, theirs, { excludeFalseConflicts: true })) {
    merged.push(...(ok ?? conflict?.a ?? []));
    if (conflict) disputed.push({ yours: conflict.a.join("\n"), template: conflict.b.join("\n") });
  }
  return { value: merged.join("\n"), disputed };
}

const lines = (text: unknown): string[] =>
  typeof text === "string" && text !== "" ? text.replaceAll("\r\n", "\n").split("\n") : [];

/** One level of what a template may set. What is not set is not in it. */
function flat({ name: _name, avatar: _avatar, variables, limits, ...plain }: AgentDefinition): Map<Field, unknown> {
  const parts: [string, unknown][] = [
    ...Object.entries(plain),
    ...Object.entries(variables ?? {}).map(([key, value]): [string, unknown] => [`variables.${key}`, value]),
    ...Object.entries(limits ?? {}).map(([key, value]): [string, unknown] => [`limits.${key}`, value]),
  ];
  return new Map(parts.filter(([, value]) => value !== undefined) as [Field, unknown][]);
}

function unflat(fields: Map<Field, unknown>, ours: AgentDefinition): AgentDefinition {
  const under = (prefix: string) =>
    Object.fromEntries(
      [...fields].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]),
    );
  const plain = Object.fromEntries([...fields].filter(([key]) => !key.includes(".")));
  const [variables, limits] = [under("variables."), under("limits.")];
  return {
    ...(plain as unknown as Taken),
    name: ours.name,
    ...(ours.avatar ? { avatar: ours.avatar } : {}),
    ...(Object.keys(variables).length > 0 ? { variables: variables as Record<string, string> } : {}),
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
  };
}

/** An agent's boundaries as the form changes them. Pure. */
import type { Definition } from "../definition.ts";

export type Tools = NonNullable<Definition["tools"]>;
export type Bounds = Tools[string];
export type Policy = NonNullable<Bounds["policy"]>;

export const POLICIES: readonly Policy[] = ["never", "ask", "direct", "allowed"];

/** With these boundaries under a name; what says nothing is left out, so that a draft without tools stays one. */
export function withBounds(tools: Tools, name: string, bounds: Bounds): Tools {
  const { [name]: _before, ...others } = tools;
  const said = Object.fromEntries(
    Object.entries(bounds).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  ) as Bounds;
  return Object.keys(said).length === 0 ? others : { ...others, [name]: said };
}

/** A group that nobody speaks of is never used: that need not be written down. */
export const withGroupPolicy = (tools: Tools, group: string, policy: Policy): Tools => {
  const { policy: _before, ...rest } = boundsOf(tools, group);
  return withBounds(tools, group, policy === "never" ? rest : { ...rest, policy });
};

/** Null: as its group. */
export function withToolPolicy(tools: Tools, tool: string, policy: Policy | null): Tools {
  const { policy: _before, ...rest } = boundsOf(tools, tool);
  return withBounds(tools, tool, policy === null ? rest : { ...rest, policy });
}

export const boundsOf = (tools: Tools, name: string): Bounds => (Object.hasOwn(tools, name) ? (tools[name] ?? {}) : {});

/** Whether more is said than a policy. */
export const isBounded = (bounds: Bounds): boolean => Object.keys(bounds).some((field) => field !== "policy");

/** Lines as patterns: without empty ones and without spaces around them. */
export const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

/** What is wrong with the boundaries that a manager wrote, with a sentence for each field. Pure. */
import type { AgentTools, ToolBounds } from "../../migrations/types.ts";

const POLICIES = ["never", "ask", "direct", "allowed"];
const MAX_ENTRIES = 100;
const MAX_PATTERNS = 200;
const LIMITS = ["perRun", "perHour", "perDay", "tokensPerDay"] as const;

/** By the field's path: `{"tools.web.perDay": "…"}`. */
export function toolsProblems(tools: AgentTools): Record<string, string> {
  const problems: Record<string, string> = {};
  if (Object.keys(tools).length > MAX_ENTRIES)
    problems.tools = `Boundaries are set for at most ${MAX_ENTRIES} groups and tools.`;
  for (const [key, bounds] of Object.entries(tools)) {
    const path = `tools.${key}`;
    if (!/^[a-z][a-z0-9_-]{0,63}$/.test(key))
      problems[path] =
        `"${key.slice(0, 60)}" is the name of no tool and of no group. Use small letters, digits, "-" and "_".`;
    for (const [field, problem] of boundsProblems(bounds)) problems[`${path}.${field}`] = problem;
  }
  return problems;
}

function* boundsProblems(bounds: ToolBounds): Generator<[string, string]> {
  if (bounds.policy !== undefined && !POLICIES.includes(bounds.policy))
    yield ["policy", "Choose never, ask, direct or allowed."];
  for (const side of ["allow", "refuse"] as const) {
    const patterns = bounds[side] ?? [];
    if (patterns.length > MAX_PATTERNS) yield [side, `At most ${MAX_PATTERNS} can be named.`];
    const wrong = patterns.find((pattern) => pattern.trim() === "" || pattern.length > 500 || /[\r\n\0]/.test(pattern));
    if (wrong !== undefined) yield [side, "Each line is a pattern of 1 to 500 characters. Take empty lines out."];
  }
  for (const limit of LIMITS) {
    const value = bounds[limit];
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0))
      yield [limit, "A limit is a whole number above 0. Leave it empty for none."];
  }
  const { level } = bounds;
  if (level !== undefined && !(Number.isInteger(level) && level >= 0 && level <= 100))
    yield ["level", "A power level is a whole number from 0 to 100: 50 is a moderator, 100 an administrator."];
}

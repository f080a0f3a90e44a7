/** The agents that a finished text names, as `@Name` or by full user id: they are asked by it. Longest names are looked for first. */
export function agentsNamed(text: string, agents: { userId: string; name: string }[], self: string): string[] {
  const spoken = withoutCode(text);
  const found = agents.filter(({ userId, name }) => {
    if (userId === self) return false;
    const words = [`@${name}`, userId].map(escapeForRegex).join("|");
    return new RegExp(`(?<![\\p{L}\\p{N}_])(${words})(?![\\p{L}\\p{N}_])`, "iu").test(spoken);
  });
  // "@Anna Maria" names Anna Maria, not also Anna.
  return found
    .filter(
      (agent) =>
        !found.some((other) => other !== agent && other.name.toLowerCase().startsWith(`${agent.name.toLowerCase()} `)),
    )
    .map((agent) => agent.userId);
}

const escapeForRegex = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** Code and quotations speak of somebody, not to somebody. */
const withoutCode = (text: string) =>
  text
    .replace(/```[\s\S]*?(```|$)/g, " ")
    .replace(/`[^`\n]*`/g, " ")
    .replace(/^>.*$/gm, " ");

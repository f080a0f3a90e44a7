/** What an agent may be called, and the user name made of it. Pure. */

const MAX_NAME = 60;

/** What is wrong with an agent's name, as a sentence; null when nothing is. */
export function agentNameProblem(name: string): string | null {
  if (name.trim() === "") return "Give the agent a name.";
  if (name !== name.trim()) return "An agent's name cannot begin or end with a space.";
  if ([...name].length > MAX_NAME) return `An agent's name has at most ${MAX_NAME} characters.`;
  // Zero-width joiners hold emoji together; everything else that cannot be seen only serves to look like another name.
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Co}]|[\u200B\u200E\u200F\u202A-\u202E\u2060-\u206F\uFEFF]/u.test(name))
    return "An agent's name cannot have line breaks or invisible characters.";
  if (!/[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(name))
    return "An agent's name needs a letter, a digit or an emoji.";
  if (/[@:!]/.test(name)) return "An agent's name cannot have @, : or ! in it: they have a meaning in chat.";
  return null;
}

/** Local part number `n` (from 1) of a name: `agent-writer`, `agent-writer-2`, …; `agent-<id>` where no Latin letter is left. */
export function agentLocalpart(name: string, n: number, id: string): string {
  const slug = name
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 40);
  return `agent-${slug || id.replaceAll("-", "").slice(0, 8)}${n > 1 ? `-${n}` : ""}`;
}

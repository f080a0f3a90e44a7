/** User names by which people would take somebody for one of the agents. */
import { agentLocalpart } from "../bots/agent-names.ts";
import type { Context } from "../core/context.ts";

/**
 * Which of these user names are an agent's name ("writer"), or what its Matrix user is called without "agent-" ("sales.coach" for Sales
 * Coach). Capital letters, dots, dashes and underscores make no difference.
 */
export async function namesOfAgents(
  ctx: Context,
  tenantId: string,
  usernames: readonly string[],
): Promise<Set<string>> {
  const alike = usernames.map((username) => agentLocalpart(username, 1, "none"));
  const rows = await ctx.sql<{ name: string; local: string }[]>`
    select lower(name) as name, substr(split_part(user_id, ':', 1), 2) as local from agents
    where tenant_id = ${tenantId} and state <> 'removed'
      and (lower(name) = any(${usernames as string[]}) or split_part(user_id, ':', 1) = any(${alike.map((local) => `@${local}`)}))`;
  const taken = new Set(rows.flatMap(({ name, local }) => [name, local]));
  return new Set(usernames.filter((name, index) => taken.has(name) || taken.has(alike[index] ?? "")));
}

import type { Context } from "../core/context.ts";
import { listTenants } from "../homeserver/tenants.ts";
import { publicUrl } from "./public-url.ts";

/** The few lines that a start ends with: addresses, how to get in, which model answers. */
export async function summary(
  ctx: Context,
  { invite, model, signIn }: { invite: string | null; model: string; signIn: string | null },
): Promise<string[]> {
  const tenants = await listTenants(ctx);
  const [first] = tenants;
  const lines = [["Platform", await publicUrl(ctx)]];
  lines.push(["Sign in", signIn ? `${signIn} (once, for the first operator)` : `${await publicUrl(ctx)}/panel/`]);
  for (const { title, homeserverUrl, serverName, state } of tenants.slice(0, 5)) {
    const how = state === "running" ? "" : ` (${state.replace("_", " ")})`;
    lines.push(["Client", `${title}: homeserver ${homeserverUrl}, server name ${serverName}${how}`]);
  }
  if (tenants.length > 5) lines.push(["", `and ${tenants.length - 5} more: npm run -s agentopia -- tenant list`]);
  if (first) lines.push(["Invite", invite ?? `npm run -s agentopia -- invite create ${first.id}`]);
  lines.push(["Model", model]);
  return lines.map(([name, value]) => `  ${name?.padEnd(9)} ${value}`);
}

import type { Context } from "../core/context.ts";
import { keptPorts } from "../core/ports.ts";

/** The address under which people reach our pages, without a slash at the end: `AGENTOPIA_URL`, or host and kept port. */
export async function publicUrl(ctx: Pick<Context, "config">): Promise<string> {
  const { publicUrl: set, home, host, port } = ctx.config;
  if (set) return set;
  const ports = await keptPorts(home, { public: port });
  return `http://${hostInUrl(host)}:${ports.public}`;
}

/** "Every address of this machine" is no address to go to: the machine itself is. */
function hostInUrl(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

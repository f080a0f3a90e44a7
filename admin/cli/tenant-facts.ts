import { request } from "undici";
import type { TenantRow } from "../../homeserver/tenants.ts";
import type { TenantFacts } from "./tenant.ts";

/**
 * A tenant as commands print it. `running` is only said of a homeserver that answers now: the row may be older than a crash of
 * the platform.
 */
export async function tenantFacts(row: TenantRow, platformRuns: boolean): Promise<TenantFacts> {
  const answers = row.state === "running" && (await homeserverAnswers(row.homeserverUrl));
  const stale = row.state === "running" && !answers;
  return {
    name: row.id,
    title: row.title,
    serverName: row.serverName,
    homeserverUrl: row.homeserverUrl,
    state: stale ? (platformRuns ? "restarting" : "stopped") : row.state,
    detail: row.stateDetail,
    driver: row.driver,
  };
}

async function homeserverAnswers(url: string): Promise<boolean> {
  try {
    const answer = await request(`${url}/_matrix/client/versions`, { headersTimeout: 3_000, bodyTimeout: 3_000 });
    await answer.body.dump();
    return answer.statusCode === 200;
  } catch {
    return false; // refused or too slow: it does not answer
  }
}

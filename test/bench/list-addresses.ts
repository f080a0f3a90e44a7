/** The addresses of every list of the API, out of its own description: bare, the second page, the longest page, and with each filter. */

import type { Context } from "../../core/context.ts";
import { clientName } from "./seed.ts";

/** Asks the API for a path below /api/v1. */
export type Ask = (path: string) => Promise<unknown>;

export type Who = "operator" | "member";

export interface ListAddress {
  /** Path with its query. */
  path: string;
  who: Who;
}

interface Schema {
  maximum?: number;
  enum?: string[];
  $ref?: string;
}

interface Get {
  description: string;
  parameters?: { name: string; in: string; schema?: Schema }[];
  responses: Record<string, unknown>;
}

interface Description {
  paths: Record<string, { get?: Get }>;
  components?: { schemas?: Record<string, Schema> };
}

/** As an operator, and once more as a member of the client where members may. */
export async function listAddresses(
  { sql }: Pick<Context, "sql">,
  ask: Record<Who, Ask>,
  member: string,
): Promise<ListAddress[]> {
  const { paths, components } = (await ask.operator("/openapi.json")) as Description;
  const names = await namesIn(sql, member);
  const values: Record<string, string> = { ...names, q: "a", person: member, tool: "web_fetch", folder: "notes" };
  const found: ListAddress[] = [];
  for (const [path, { get }] of Object.entries(paths)) {
    if (!get || NOT_OF_THE_DATABASE.test(path) || !(isList(get) || OF_EVERY_PAGE.test(path))) continue;
    const bare = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name] ?? "none"));
    for (const who of ["operator", "member"] as const) {
      if (who === "member" && (!MEMBERS_MAY.test(get.description) || !path.includes("{client}"))) continue;
      const page = (await ask[who](bare)) as { next?: string | null };
      const queries = [
        ...(page.next ? [`cursor=${encodeURIComponent(page.next)}`] : []),
        ...(get.parameters ?? []).flatMap((parameter) => queriesOf(parameter, values, components?.schemas ?? {})),
        ...(path.endsWith("/usage") ? ["by=agent", "by=person"] : []),
      ];
      found.push({ path: bare, who }, ...queries.map((query) => ({ path: `${bare}?${query}`, who })));
    }
  }
  return found;
}

/** What stands in the places of paths, all of the largest client; in a room where the member is. */
async function namesIn(sql: Context["sql"], member: string): Promise<Record<string, string>> {
  const client = clientName(1);
  const [run] = await sql<{ id: string; agent: string; room: string; person: string }[]>`
    select r.id, r.agent_id as agent, r.room_id as room, r.asked_by as person from runs r join tool_calls c on c.run_id = r.id
      join room_members m on m.tenant_id = r.tenant_id and m.room_id = r.room_id and m.user_id = ${member}
    where r.tenant_id = ${client} limit 1`;
  return {
    client,
    agent: run?.agent ?? "",
    room: run?.room ?? "",
    user: run?.person ?? "",
    run: run?.id ?? "",
    team: `${client}-team-1`,
    form: "seed-form-5",
  };
}

function queriesOf(
  { name, in: where, schema }: NonNullable<Get["parameters"]>[number],
  values: Record<string, string>,
  schemas: Record<string, Schema>,
): string[] {
  if (where !== "query") return [];
  if (name === "limit") return [`limit=${schema?.maximum ?? 50}`];
  const choices = schema?.enum ?? schemas[schema?.$ref?.split("/").at(-1) ?? ""]?.enum;
  if (name === "state" && choices) return choices.map((choice) => `state=${choice}`);
  return values[name] ? [`${name}=${encodeURIComponent(values[name])}`] : [];
}

/** Asked of the homeserver, which a seeded client has not, or about the own account, which tokens may not. */
const NOT_OF_THE_DATABASE = /devices|^\/me\//;
/** No lists, but asked again and again by whatever page is open. */
const OF_EVERY_PAGE = /\/approvals\/count$|\/home$/;
/** The description of an endpoint ends with the roles that may. */
const MEMBERS_MAY = /: .*\bmember\b/;

/** Lists are what has pages, and the sums of usage. */
function isList(get: Get): boolean {
  const answer = JSON.stringify(get.responses["200"] ?? {});
  return (
    (answer.includes('"items"') && answer.includes('"next"')) ||
    answer.includes('"Usage"') ||
    answer.includes("schemas/Usage")
  );
}

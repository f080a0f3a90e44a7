/** Lists of form tools, and of what was filled in. */
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import type { FormDefinition, JsonSchema } from "../../migrations/types.ts";
import { atMicros, type Fragment, type Place } from "../scan-page.ts";
import type { FormRow } from "./rows.ts";

/** Without what it is made of, which lists do not say. */
type Heading = Omit<FormDefinition, "input" | "output" | "prompt">;

export interface ListedForm extends Pick<FormRow, "id" | "name" | "state" | "version"> {
  definition: Heading;
  draft: Heading | null;
}

/** By name, after `after`. */
export async function listForms(
  { sql }: Context,
  tenantId: string,
  { activeOnly, q, after, limit }: { activeOnly: boolean; q: string | undefined; after: string | null; limit: number },
): Promise<ListedForm[]> {
  const like = q ? `%${q.replaceAll(/[\\%_]/g, "\\$&")}%` : null;
  const heading = (column: "definition" | "draft") =>
    sql`${sql(column)} - array['input', 'output', 'prompt'] as ${sql(column)}`;
  return await sql<ListedForm[]>`
    select id, name, state, version, ${heading("definition")}, ${heading("draft")} from form_tools where tenant_id = ${tenantId} and state <> 'removed' and (not ${activeOnly} or state = 'active')
      and (${after}::text is null or name > ${after}) and (${like}::text is null or name ilike ${like} or definition->>'title' ilike ${like})
    order by name limit ${limit}`;
}

export interface FormRun {
  id: string;
  formId: string;
  version: number;
  via: "panel" | "link" | "command" | "tool" | "try";
  by: string;
  /** Their display name, where it is known. */
  byName: string | null;
  roomId: string | null;
  roomName: string | null;
  values: Record<string, unknown> | null;
  state: "queued" | "running" | "done" | "failed" | "stopped";
  result: string | null;
  error: string | null;
  untrusted: string | null;
  tokens: number;
  runId: string | null;
  /** What its definition said then. */
  title: string;
  input: JsonSchema;
  output: JsonSchema | null;
  /** Milliseconds since 1970. */
  createdAt: number;
  finishedAt: number | null;
  micros: number;
}

/** `page`: the rows of `form_runs`, found before anything is joined to them. */
const readFormRuns = ({ sql }: Context, tenantId: string, page: Fragment) => sql<FormRun[]>`
  select f.id, f.form_id as "formId", f.version, f.via, f.by, p.display_name as "byName", f.room_id as "roomId",
    coalesce(r.channel, r.state->>'name') as "roomName", f."values", f.state, f.result, f.error, f.untrusted, f.tokens, f.run_id as "runId",
    d.definition->>'title' as title, d.definition->'input' as input, nullif(d.definition->'output', 'null'::jsonb) as output,
    (extract(epoch from f.created_at) * 1000)::float8 as "createdAt", (extract(epoch from f.finished_at) * 1000)::float8 as "finishedAt",
    (extract(epoch from f.created_at) * 1000000)::float8 as micros
  from (${page}) f
    left join form_versions v on v.form_id = f.form_id and v.version = f.version
    join form_tools t on t.id = f.form_id
    cross join lateral (select coalesce(f.definition, v.definition, t.definition) as definition) d
    left join people p on p.tenant_id = f.tenant_id and p.user_id = f.by
    left join rooms r on r.tenant_id = f.tenant_id and r.room_id = f.room_id
  where f.tenant_id = ${tenantId}
  order by f.created_at desc, f.id desc`;

/** Newest first. `by`: only what this person filled in. */
export async function listFormRuns(
  ctx: Context,
  wish: {
    tenantId: string;
    formId: string;
    by: string | null;
    after: Place | null;
    limit: number;
  },
): Promise<FormRun[]> {
  const { sql } = ctx;
  const { tenantId, formId, by, after, limit } = wish;
  const older = after ? sql`and (created_at, id) < (${atMicros(ctx, after.micros)}, ${after.id})` : sql``;
  // By the form alone, which is of one client: with both Postgres would read all of the form's to sort them.
  const page = sql`
    select * from form_runs where form_id = ${formId} ${by === null ? sql`` : sql`and by = ${by}`} ${older}
    order by created_at desc, id desc limit ${limit}`;
  return await readFormRuns(ctx, tenantId, page);
}

/** Throws `not_found`, also for what somebody else filled in where `by` is given. */
export async function getFormRun(
  ctx: Context,
  { tenantId, formId, id, by }: { tenantId: string; formId?: string; id: string; by: string | null },
): Promise<FormRun> {
  const { sql } = ctx;
  const ofForm = formId === undefined ? sql`` : sql`and form_id = ${formId}`;
  const theirs = by === null ? sql`` : sql`and by = ${by}`;
  const [row] = await readFormRuns(ctx, tenantId, sql`select * from form_runs where id = ${id} ${ofForm} ${theirs}`);
  if (!row) throw new AppError("not_found", "There is no such form of yours.");
  return row;
}

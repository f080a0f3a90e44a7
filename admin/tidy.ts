/** What nobody needs any more of the panel's own rows: it is taken away, in small portions, now and then. */
import type { Context } from "../core/context.ts";
import { regularly } from "../core/regularly.ts";

const EVERY_MS = 6 * 3_600_000;
/** Sessions and links that are over stay so long, for whoever asks what happened. */
const KEPT = "30 days";
/** Refused sign-ins are the one part of the audit log that strangers write: it may not grow for ever. */
const REFUSALS_KEPT = "90 days";

/** At the start and every six hours. */
export function startTidying(ctx: Context): { stop(): Promise<void> } {
  const failed = "old sessions and links could not be taken away; it is tried again in some hours";
  return regularly(ctx, EVERY_MS, failed, () => tidy(ctx));
}

/** Doing it again is harmless. */
export async function tidy({ sql, clock }: Context): Promise<void> {
  const now = new Date(clock.now());
  await sql`delete from sessions where least(expires_at, revoked_at) < ${now}::timestamptz - ${KEPT}::interval`;
  await sql`delete from one_time_links where least(expires_at, used_at, revoked_at) < ${now}::timestamptz - ${KEPT}::interval`;
  await sql`delete from api_tokens where least(expires_at, revoked_at) < ${now}::timestamptz - ${KEPT}::interval`;
  await sql`delete from audit where outcome = 'refused' and at < ${now}::timestamptz - ${REFUSALS_KEPT}::interval`;
  // A picture that was uploaded for a draft which was never saved; versions keep theirs.
  await sql`
    delete from avatars v where v.created_at < ${now}::timestamptz - interval '1 day'
      and not exists (select from agents a where a.tenant_id = v.tenant_id
        and (a.definition->'avatar'->>'id' = v.id or a.draft->'avatar'->>'id' = v.id))
      and not exists (select from agent_versions o join agents a on a.id = o.agent_id
        where a.tenant_id = v.tenant_id and o.definition->'avatar'->>'id' = v.id)`;
}

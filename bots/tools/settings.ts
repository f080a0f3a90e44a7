/** What a client's tools need: its mail server and its search, and how long questions wait. Passwords are sealed, and go to the tools that need them only. */
import { eq } from "drizzle-orm";
import type { Context } from "../../core/context.ts";
import { toolSettings } from "../../migrations/tool-tables.ts";
import type { MailSettings, SearchSettings } from "../../migrations/types.ts";
import { checkMailSettings, checkSearchSettings, SettingError } from "./setting-checks.ts";

export { listToolSecrets, mayGoTo, openToolSecret, putToolSecret, removeToolSecret } from "./secrets.ts";

export type OpenMail = MailSettings & { password: string | null };
export type OpenSearch = SearchSettings & { key: string | null };

/** Left out: the one that is kept; null: none. */
export type MailWish = MailSettings & { password?: string | null | undefined };
export type SearchWish = SearchSettings & { key?: string | null | undefined };

/** How long a question whether a call may be made waits where a client has not set it. */
export const USUAL_APPROVAL_MINUTES = 30;

const aboutMail = (tenantId: string) => `tool_settings:${tenantId}:mail`;
const aboutSearch = (tenantId: string) => `tool_settings:${tenantId}:search`;

/** With password and key in the clear: never logged, never shown. */
export async function readToolSettings(
  ctx: Context,
  tenantId: string,
): Promise<{ mail: OpenMail | null; search: OpenSearch | null }> {
  const [row] = await ctx.db.select().from(toolSettings).where(eq(toolSettings.tenantId, tenantId));
  const open = (sealed: string | null | undefined, about: string) => (sealed ? ctx.secrets.open(sealed, about) : null);
  return {
    mail: row?.mail ? { ...row.mail, password: open(row.mailPassword, aboutMail(tenantId)) } : null,
    search: row?.search ? { ...row.search, key: open(row.searchKey, aboutSearch(tenantId)) } : null,
  };
}

/** As they are shown: whether there is a password and a key, not which. */
export async function shownToolSettings(ctx: Context, tenantId: string) {
  const [row] = await ctx.db.select().from(toolSettings).where(eq(toolSettings.tenantId, tenantId));
  return {
    mail: row?.mail ? { ...row.mail, hasPassword: row.mailPassword !== null } : null,
    search: row?.search ? { ...row.search, hasKey: row.searchKey !== null } : null,
    approvalMinutes: row?.approvalMinutes ?? USUAL_APPROVAL_MINUTES,
  };
}

/** Left out: as it is; null: removed. */
export interface SettingsWish {
  mail?: MailWish | null | undefined;
  search?: SearchWish | null | undefined;
  approvalMinutes?: number | null | undefined;
}

/**
 * Keeps both or neither. A password or key that is left out stays the old one, unless it would go to another server or be sent in another way: who
 * changes that has to know it. Throws `SettingError` with fields like `mail.host`.
 */
export async function saveToolSettings(
  ctx: Context,
  tenantId: string,
  { mail, search, approvalMinutes }: SettingsWish,
): Promise<void> {
  await change(ctx, tenantId, (row) => ({
    ...(mail === undefined ? {} : within("mail", () => mailOf(ctx, tenantId, mail, row))),
    ...(search === undefined ? {} : within("search", () => searchOf(ctx, tenantId, search, row))),
    ...(approvalMinutes === undefined ? {} : { approvalMinutes }),
  }));
}

/** The mail server alone; fields are named without a prefix. */
export const saveMail = (ctx: Context, tenantId: string, wish: MailWish | null): Promise<void> =>
  change(ctx, tenantId, (row) => mailOf(ctx, tenantId, wish, row));

/** The search alone; fields are named without a prefix. */
export const saveSearch = (ctx: Context, tenantId: string, wish: SearchWish | null): Promise<void> =>
  change(ctx, tenantId, (row) => searchOf(ctx, tenantId, wish, row));

function mailOf(ctx: Context, tenantId: string, wish: MailWish | null, row: Row | undefined): Partial<Row> {
  if (!wish) return { mail: null, mailPassword: null };
  checkMailSettings(wish, ctx.config.allowHosts);
  const { password, host, port, secure, user, from } = wish;
  const mail: MailSettings = { host: host.trim().toLowerCase(), port, secure, user, from: from.trim() };
  if (password !== undefined)
    return { mail, mailPassword: password === null ? null : ctx.secrets.seal(password, aboutMail(tenantId)) };
  const kept = user === null ? null : (row?.mailPassword ?? null);
  const before = row?.mail;
  const same = before && before.host === mail.host && before.port === port && before.user === user;
  if (kept !== null && !(same && (secure || !before.secure)))
    throw new SettingError({
      password: "Type the password again: it would go to another server, or in another way.",
    });
  return { mail, mailPassword: kept };
}

function searchOf(ctx: Context, tenantId: string, wish: SearchWish | null, row: Row | undefined): Partial<Row> {
  if (!wish) return { search: null, searchKey: null };
  checkSearchSettings(wish, ctx.config.allowHosts);
  const search: SearchSettings = { kind: wish.kind, url: wish.url?.trim().replace(/\/+$/, "") ?? null };
  if (wish.key !== undefined)
    return { search, searchKey: wish.key === null ? null : ctx.secrets.seal(wish.key, aboutSearch(tenantId)) };
  const kept = row?.searchKey ?? null;
  const same = row?.search?.kind === search.kind && row.search.url === search.url;
  if (kept !== null && !same) throw new SettingError({ key: "Type the key again: it would go to another server." });
  return { search, searchKey: kept };
}

function within<T>(part: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    const fields = Object.entries(error.fields).map(([field, problem]) => [`${part}.${field}`, problem]);
    throw new SettingError(Object.fromEntries(fields));
  }
}

type Row = typeof toolSettings.$inferSelect;

/** One at a time for a client, so that what is decided by the row before is so when it is written. */
async function change(ctx: Context, tenantId: string, decide: (row: Row | undefined) => Partial<Row>): Promise<void> {
  await ctx.db.transaction(async (tx) => {
    await tx.insert(toolSettings).values({ tenantId }).onConflictDoNothing();
    const mine = eq(toolSettings.tenantId, tenantId);
    const [row] = await tx.select().from(toolSettings).where(mine).for("update");
    const set = decide(row);
    if (Object.keys(set).length > 0) await tx.update(toolSettings).set(set).where(mine);
  });
}

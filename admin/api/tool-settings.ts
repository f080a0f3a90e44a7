/** What a client's tools need: its mail server, its search, how long questions wait, and secrets for requests. */
import { checkMail } from "../../bots/tools/mail.ts";
import type { ShownSecret } from "../../bots/tools/secrets.ts";
import { SettingError } from "../../bots/tools/setting-checks.ts";
import {
  listToolSecrets,
  putToolSecret,
  readToolSettings,
  removeToolSecret,
  saveToolSettings,
  shownToolSettings,
} from "../../bots/tools/settings.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import { byline } from "./caller.ts";
import { InvalidFields } from "./conflict.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { pageOf, pageQuery, readCursor, toPage, writeCursor } from "./pages.ts";
import {
  mailTestBody,
  mailTestView,
  type SettingsBody,
  secretBody,
  secretView,
  settingsBody,
  settingsView,
  type ToolSecretView,
} from "./tool-settings-views.ts";

const SETTINGS = "/clients/{client}/tool-settings";
const SECRETS = "/clients/{client}/tool-secrets";

export const toolSettingEndpoints = (ctx: Context): Endpoint[] => [...settings(ctx), ...secrets(ctx)];

const settings = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: SETTINGS,
      action: "tools.read",
      tag: "tools",
      summary:
        "The mail server and the search that agents use, without password and key, and how long their questions wait",
      answer: settingsView,
    },
    async ({ params }) => {
      await getTenant(ctx, params.client);
      return await shownToolSettings(ctx, params.client);
    },
  ),
  endpoint(
    {
      method: "put",
      path: SETTINGS,
      action: "tools.write",
      auditAs: "tools.change_settings",
      tag: "tools",
      summary: "Set or remove the mail server and the search, and set how long questions wait",
      body: settingsBody,
      answer: settingsView,
    },
    async ({ params: { client }, body, audit }) => {
      await getTenant(ctx, client);
      const before = await shownToolSettings(ctx, client);
      await atFields(saveToolSettings(ctx, client, body));
      const after = await shownToolSettings(ctx, client);
      audit({
        target: { kind: "tool_settings", id: client },
        before: ofBody(before, body),
        after: ofBody(after, body),
      });
      return after;
    },
  ),
  endpoint(
    {
      method: "post",
      path: `${SETTINGS}/mail/test`,
      action: "tools.write",
      auditAs: "tools.test_mail",
      tag: "tools",
      summary: "Sign in at the mail server, and send a test mail when an address is given",
      body: mailTestBody,
      answer: mailTestView,
    },
    async ({ params: { client }, body, audit }) => {
      await getTenant(ctx, client);
      const { mail } = await readToolSettings(ctx, client);
      if (!mail) throw new AppError("not_found", "There is no mail server yet. Save one first.");
      const result = await checkMail(ctx, mail, { to: body.to, id: newId() });
      audit({ target: { kind: "tool_settings", id: client }, after: { host: mail.host, to: body.to, ok: result.ok } });
      return result;
    },
  ),
];

const secrets = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: SECRETS,
      action: "tools.read",
      tag: "tools",
      summary: "Secrets that agents' requests may carry: their names and where they go, not what they are",
      query: pageQuery,
      answer: pageOf(secretView),
    },
    async ({ params: { client }, query: { limit, cursor } }) => {
      await getTenant(ctx, client);
      const [after] = readCursor(cursor, "string") ?? [];
      const rows = await listToolSecrets(ctx, client, { limit: limit + 1, after });
      return toPage(rows, limit, ({ name }) => writeCursor(name), shown);
    },
  ),
  endpoint(
    {
      method: "put",
      path: `${SECRETS}/{name}`,
      action: "tools.write",
      auditAs: "tools.put_secret",
      tag: "tools",
      summary: "Keep a secret, or change where it goes",
      body: secretBody,
      answer: secretView,
    },
    async ({ params: { client, name }, body, caller, audit }) => {
      await getTenant(ctx, client);
      const kept = await atFields(putToolSecret(ctx, client, { ...body, name, by: byline(caller) }));
      const { header, hosts } = kept;
      const after = { header, hosts, ...(body.secret === undefined ? {} : { valueGiven: true }) };
      audit({ target: { kind: "tool_secret", id: name, name }, after });
      return shown(kept);
    },
  ),
  endpoint(
    {
      method: "delete",
      path: `${SECRETS}/{name}`,
      action: "tools.write",
      auditAs: "tools.remove_secret",
      tag: "tools",
      summary: "Remove a secret",
      answer: null,
    },
    async ({ params: { client, name }, audit }) => {
      await getTenant(ctx, client);
      const row = await removeToolSecret(ctx, client, name);
      if (!row) throw new AppError("not_found", "There is no such secret. It may have been removed.");
      audit({ target: { kind: "tool_secret", id: name, name }, before: { header: row.header, hosts: row.hosts } });
    },
  ),
];

const shown = ({ createdAt, ...row }: ShownSecret): ToolSecretView => ({ ...row, createdAt: createdAt.toISOString() });

/** What the log says: only of what was to be changed. */
const ofBody = (all: { mail: unknown; search: unknown; approvalMinutes: number }, body: SettingsBody) => ({
  ...(body.mail === undefined ? {} : { mail: all.mail }),
  ...(body.search === undefined ? {} : { search: all.search }),
  ...(body.approvalMinutes === undefined ? {} : { approvalMinutes: all.approvalMinutes }),
});

async function atFields<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof SettingError ? new InvalidFields(error.fields) : error;
  }
}

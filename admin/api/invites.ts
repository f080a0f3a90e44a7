/** Invite links: made, listed with who came by them, withdrawn; and many at once from a CSV file. */
import { toString as qrCode } from "qrcode";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import type { TenantRole } from "../../migrations/types.ts";
import { namesOfAgents } from "../impostors.ts";
import { type ListedInvite, pageInvites, pageInviteUses } from "../invite-list.ts";
import { createInvite, revokeInvite } from "../invites.ts";
import { MOST_BYTES } from "../people-csv.ts";
import { type ImportWish, importPeople, previewImport } from "../people-import.ts";
import { givingProblem } from "../roles.ts";
import type { Caller } from "./caller.ts";
import { InvalidFields } from "./conflict.ts";
import { type Endpoint, endpoint, moment, words, z } from "./endpoint.ts";
import { iso } from "./iso.ts";
import { pageOf, pageQuery, readCursor, toPage, writeCursor } from "./pages.ts";
import { actorOfCaller } from "./people.ts";
import { tenantRole } from "./people-views.ts";

const INVITES = "/clients/{client}/invites";
const DAY = 86_400_000;

export const inviteView = z
  .object({
    id: z.string(),
    team: z.object({ id: z.string(), name: z.string() }).nullable(),
    state: z.enum(["open", "spent", "expired", "revoked"]),
    uses: z.number().int(),
    maxUses: z.number().int(),
    username: z.string().nullable().openapi({ description: "Only for this user name." }),
    displayName: z.string().nullable(),
    role: tenantRole,
    createdBy: z.string().nullable(),
    usedBy: z
      .array(z.object({ id: z.string(), name: z.string().nullable() }))
      .openapi({ description: "The newest; the list of uses has all." }),
    createdAt: moment,
    expiresAt: moment,
  })
  .openapi("Invite");
export type InviteView = z.output<typeof inviteView>;

export const inviteUseView = z
  .object({ id: z.string(), name: z.string().nullable(), username: z.string(), usedAt: moment })
  .openapi("InviteUse");
export type InviteUseView = z.output<typeof inviteUseView>;

export const newInviteView = z
  .object({
    id: z.string(),
    url: z.string().openapi({ description: "Shown this once." }),
    qr: z.string().openapi({ description: "The link as a QR code: SVG." }),
    expiresAt: moment,
  })
  .openapi("NewInvite");
export type NewInviteView = z.output<typeof newInviteView>;

export const importedPerson = z
  .object({
    line: z.number().int(),
    username: z.string(),
    name: z.string().nullable(),
    role: tenantRole.nullable(),
    team: z.string().nullable(),
    outcome: z.enum(["invite", "exists", "problem"]),
    sentence: z.string(),
    url: z.string().nullable(),
  })
  .openapi("ImportedPerson");
export type ImportedPersonView = z.output<typeof importedPerson>;

export const importView = z
  .object({
    rows: z.array(importedPerson),
    counts: z.object({ invite: z.number().int(), exists: z.number().int(), problem: z.number().int() }),
    csv: z.string().nullable().openapi({ description: "The same with the links, as a file. Null in a preview." }),
  })
  .openapi("PeopleImport");
export type ImportView = z.output<typeof importView>;

const days = z.number().int().min(1).max(366);
const importBody = z.object({
  csv: z.string().max(MOST_BYTES),
  teamId: words(100).optional().openapi({ description: "For rows without a team; the client's first when not given." }),
  role: tenantRole.optional().openapi({ description: "For rows without a role." }),
  ttlDays: days.default(14),
  renew: z
    .boolean()
    .default(false)
    .openapi({ description: "Withdraw open links for the same names and make new ones." }),
});

export const inviteEndpoints = (ctx: Context): Endpoint[] => [
  ...readEndpoints(ctx),
  createEndpoint(ctx),
  revokeEndpoint(ctx),
  ...importEndpoints(ctx),
];

const readEndpoints = (ctx: Context) => [
  endpoint(
    {
      method: "get",
      path: INVITES,
      action: "invites.read",
      tag: "invites",
      summary: "Invite links, newest first",
      query: pageQuery.extend({ state: z.enum(["open", "over"]).optional() }),
      answer: pageOf(inviteView),
    },
    async ({ params, query }) => {
      await getTenant(ctx, params.client);
      const after = readCursor(query.cursor, "number", "string");
      const rows = await pageInvites(ctx, params.client, { ...query, after });
      return toPage(rows, query.limit, (row) => writeCursor(row.at, row.id), viewInvite);
    },
  ),
  endpoint(
    {
      method: "get",
      path: `${INVITES}/{invite}/uses`,
      action: "invites.read",
      tag: "invites",
      summary: "Who came by a link",
      query: pageQuery,
      answer: pageOf(inviteUseView),
    },
    async ({ params, query }) => {
      await getTenant(ctx, params.client);
      const [after] = readCursor(query.cursor, "string") ?? [""];
      const what = { tenantId: params.client, inviteId: params.invite, after, limit: query.limit };
      const rows = await pageInviteUses(ctx, what);
      return toPage(
        rows,
        query.limit,
        (row) => writeCursor(row.username),
        (row) => ({ id: row.userId, name: row.name, username: row.username, usedAt: iso(row.usedAt) }),
      );
    },
  ),
];

const createEndpoint = (ctx: Context) =>
  endpoint(
    {
      method: "post",
      path: INVITES,
      action: "invites.write",
      auditAs: "invites.create",
      tag: "invites",
      summary: "Make a link by which people get accounts",
      body: z.object({
        teamId: words(100)
          .optional()
          .openapi({ description: "Whose rooms they join; the client's first when not given." }),
        maxUses: z.number().int().min(1).max(10_000).default(1),
        ttlDays: days.default(7),
        username: words(64).optional().openapi({ description: "Only for this user name." }),
        displayName: words(200).optional().openapi({ description: "The name that others see; with a user name only." }),
        role: tenantRole.default("member"),
      }),
      answer: newInviteView,
      status: 201,
      creates: true,
    },
    async ({ params, body, caller, may, audit }) => {
      const { ttlDays, role, username, ...rest } = body;
      const problem = givingProblem(actorOfCaller(caller), role, may("roles.write"));
      if (problem) throw new AppError("forbidden", problem);
      const name = username?.toLowerCase();
      if (name && (await namesOfAgents(ctx, params.client, [name])).has(name))
        throw new InvalidFields({ username: `"${name}" is what an agent here is called. Choose another user name.` });
      const wish = { ...rest, username, role, ttl: ttlDays * DAY, tenantId: params.client, createdBy: makerOf(caller) };
      const made = await createInvite(ctx, wish);
      audit({ target: { kind: "invite", id: made.id, name: name ?? made.team }, after: body });
      return { ...made, qr: await qrCode(made.url, { type: "svg", margin: 2, errorCorrectionLevel: "M" }) };
    },
  );

const revokeEndpoint = (ctx: Context) =>
  endpoint(
    {
      method: "delete",
      path: `${INVITES}/{invite}`,
      action: "invites.write",
      auditAs: "invites.revoke",
      tag: "invites",
      summary: "Withdraw a link; accounts that it made stay",
      answer: null,
    },
    async ({ params, audit }) => {
      const row = await revokeInvite(ctx, params.invite, params.client);
      audit({ target: { kind: "invite", id: row.id, name: row.username } });
    },
  );

const importEndpoints = (ctx: Context) => [
  endpoint(
    {
      method: "post",
      path: "/clients/{client}/people/import/preview",
      action: "invites.write",
      // Only looks.
      auditAs: null,
      tag: "people",
      summary: "What an import of people would do, row by row",
      body: importBody,
      answer: importView,
      maxBody: 2_500_000,
    },
    async ({ params, body, caller, may }) => {
      await getTenant(ctx, params.client);
      const giving = (role: TenantRole) => givingProblem(actorOfCaller(caller), role, may("roles.write"));
      const rows = await previewImport(ctx, wishOf(params.client, body, makerOf(caller), giving));
      return { rows: rows.map((row) => ({ ...row, url: null })), counts: countsOf(rows), csv: null };
    },
  ),
  endpoint(
    {
      method: "post",
      path: "/clients/{client}/people/import",
      action: "invites.write",
      auditAs: "people.import",
      tag: "people",
      summary: "Make an invite link for each row of a CSV file (columns username, name, role, team)",
      body: importBody,
      answer: importView,
      maxBody: 2_500_000,
      creates: true,
    },
    async ({ params, body, caller, may, audit }) => {
      await getTenant(ctx, params.client);
      const giving = (role: TenantRole) => givingProblem(actorOfCaller(caller), role, may("roles.write"));
      const { rows, csv } = await importPeople(ctx, wishOf(params.client, body, makerOf(caller), giving));
      const counts = countsOf(rows);
      const names = rows.filter(({ outcome }) => outcome === "invite").map(({ username }) => username);
      audit({ target: { kind: "people", id: params.client }, after: { ...counts, invited: names.slice(0, 200) } });
      return { rows, counts, csv };
    },
  ),
];

/** A person by id, so that their links can be found; an operator by name. */
const makerOf = ({ kind, id, name }: Caller): string => (kind === "person" ? id : name);

const wishOf = (
  tenantId: string,
  body: z.output<typeof importBody>,
  createdBy: string,
  giving: ImportWish["givingProblem"],
): ImportWish => ({ ...body, tenantId, createdBy, givingProblem: giving });

function countsOf(rows: readonly { outcome: "invite" | "exists" | "problem" }[]) {
  const counts = { invite: 0, exists: 0, problem: 0 };
  for (const { outcome } of rows) counts[outcome]++;
  return counts;
}

const viewInvite = (row: ListedInvite): InviteView => ({
  ...row,
  usedBy: row.usedBy.map(({ userId, name }) => ({ id: userId, name })),
  createdAt: iso(row.createdAt),
  expiresAt: iso(row.expiresAt),
});

/** People of a client: the list, one of them, and what is done to them. */
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { listDevices } from "../../homeserver/people.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import { pagePeople, readPersonDetails, teamsOf } from "../people.ts";
import { freshPeople } from "../people-sync.ts";
import {
  endPerson,
  renamePerson,
  requireAccount,
  requirePerson,
  signOut,
  suspendPerson,
  unsuspendPerson,
} from "../person-actions.ts";
import { actingProblem, roleOf, setRole } from "../roles.ts";
import { createLink, type LinkKind } from "../sign-in/links.ts";
import type { Caller } from "./caller.ts";
import { type Endpoint, endpoint, moment, words, z } from "./endpoint.ts";
import { iso } from "./iso.ts";
import { pageOf, pageQuery, readCursor, toPage, writeCursor } from "./pages.ts";
import {
  deviceView,
  linkView,
  personDetails,
  personState,
  personView,
  tenantRole,
  viewDetails,
  viewDevice,
  viewPerson,
} from "./people-views.ts";

const PEOPLE = "/clients/{client}/people";
const PERSON = "/clients/{client}/people/{user}";
const LINK_MS = 86_400_000;

interface About {
  params: { client: string; user: string };
  caller: Caller;
}

export const actorOfCaller = ({ role, kind, id, token, scopes }: Caller) => ({
  role,
  userId: kind === "person" ? id : null,
  byToken: token !== null,
  scopes,
});

const whoOf = ({ params }: Pick<About, "params">) => ({ tenantId: params.client, userId: params.user });
const targetOf = ({ params }: Pick<About, "params">, name: string | null = null) => ({
  kind: "person",
  id: params.user,
  name,
});

export const peopleEndpoints = (ctx: Context): Endpoint[] => [
  listEndpoint(ctx),
  ...oneEndpoints(ctx),
  ...deviceEndpoints(ctx),
  ...stateEndpoints(ctx),
  roleEndpoint(ctx),
  linkEndpoint(ctx, {
    kind: "sign_in",
    path: `${PERSON}/sign-in-link`,
    summary: "A link that signs them in to the panel once",
  }),
  linkEndpoint(ctx, {
    kind: "password",
    path: `${PERSON}/password-link`,
    summary: "A link by which they set a new Matrix password",
  }),
];

/** Throws `forbidden` for somebody with a higher role than the caller's, and for the homeserver's administrators. */
async function mayAct(ctx: Context, { params, caller }: About): Promise<void> {
  const actor = actorOfCaller(caller);
  const role = await roleOf(ctx, params.client, params.user);
  const refuse = (problem: string | null) => {
    if (problem) throw new AppError("forbidden", problem);
  };
  refuse(actingProblem(actor, { role }));
  const { admin } = await requirePerson(ctx, whoOf({ params }));
  refuse(actingProblem(actor, { role, admin }));
}

/** What one cannot do to oneself, because nobody would be left to undo it. */
function notOneself({ params, caller }: About, doing: string): void {
  if (caller.kind === "person" && caller.id === params.user)
    throw new AppError(
      "conflict",
      `You cannot ${doing} yourself. Ask another owner of your company, or your operator.`,
    );
}

const listEndpoint = (ctx: Context) =>
  endpoint(
    {
      method: "get",
      path: PEOPLE,
      action: "people.read",
      tag: "people",
      summary: "People by name",
      query: pageQuery.extend({
        q: words(100, 0).optional().openapi({ description: "A part of the name or the user id." }),
        state: personState.optional(),
        role: tenantRole.optional(),
      }),
      answer: pageOf(personView).extend({
        syncedAt: moment.nullable().openapi({ description: "When the homeserver was asked." }),
        stale: z.string().nullable().openapi({ description: "Why the list may not be as it is now." }),
      }),
    },
    async ({ params, query }) => {
      await getTenant(ctx, params.client);
      const after = readCursor(query.cursor, "string", "string");
      const { syncedAt, stale } = await freshPeople(ctx, params.client);
      const rows = await pagePeople(ctx, params.client, { ...query, after });
      const teams = await teamsOf(
        ctx,
        params.client,
        rows.map(({ userId }) => userId),
      );
      const page = toPage(
        rows,
        query.limit,
        (row) => writeCursor(row.search, row.userId),
        (row) => viewPerson(row, teams.get(row.userId)),
      );
      return { ...page, syncedAt: iso(syncedAt?.getTime() ?? null), stale };
    },
  );

const oneEndpoints = (ctx: Context) => [
  endpoint(
    {
      method: "get",
      path: PERSON,
      action: "people.read",
      tag: "people",
      summary: "One person with their teams and rooms",
      answer: personDetails,
    },
    async ({ params, caller }) => {
      const person = await readPersonDetails(ctx, params.client, params.user);
      const teams = (await teamsOf(ctx, params.client, [params.user])).get(params.user) ?? [];
      const blocked = actingProblem(actorOfCaller(caller), person);
      return viewDetails(person, { teams, blocked, self: caller.kind === "person" && caller.id === params.user });
    },
  ),
  endpoint(
    {
      method: "patch",
      path: PERSON,
      action: "people.write",
      auditAs: "people.rename",
      tag: "people",
      summary: "Change the name that others see",
      body: z.object({ name: words(200) }),
      answer: null,
    },
    async (call) => {
      await mayAct(ctx, call);
      const before = await requireAccount(ctx, whoOf(call));
      call.audit({ target: targetOf(call, call.body.name), before: { name: before.displayName }, after: call.body });
      await renamePerson(ctx, { ...whoOf(call), displayName: call.body.name });
    },
  ),
];

const deviceEndpoints = (ctx: Context) => [
  endpoint(
    {
      method: "get",
      path: `${PERSON}/devices`,
      action: "people.read",
      tag: "people",
      summary: "Where they are signed in, the last used first",
      query: pageQuery,
      answer: pageOf(deviceView),
    },
    async ({ params, query }) => {
      await requirePerson(ctx, whoOf({ params }));
      const [begin] = readCursor(query.cursor, "number") ?? [0];
      const all = await listDevices(ctx, whoOf({ params }));
      const from = Math.max(0, Math.trunc(begin));
      const rows = all.slice(from, from + query.limit + 1);
      return toPage(rows, query.limit, () => writeCursor(from + query.limit), viewDevice);
    },
  ),
  endpoint(
    {
      method: "delete",
      path: `${PERSON}/devices`,
      action: "people.write",
      auditAs: "people.sign_out",
      tag: "people",
      summary: "Sign out every device",
      answer: z.object({ signedOut: z.number().int() }),
    },
    async (call) => {
      await mayAct(ctx, call);
      const signedOut = await signOut(ctx, { ...whoOf(call), device: null });
      call.audit({ target: targetOf(call), after: { signedOut } });
      return { signedOut };
    },
  ),
  endpoint(
    {
      method: "delete",
      path: `${PERSON}/devices/{device}`,
      action: "people.write",
      auditAs: "people.sign_out",
      tag: "people",
      summary: "Sign out one device",
      answer: null,
    },
    async (call) => {
      await mayAct(ctx, call);
      await signOut(ctx, { ...whoOf(call), device: call.params.device });
      call.audit({ target: targetOf(call), after: { device: call.params.device } });
    },
  ),
];

const stateEndpoints = (ctx: Context) => [
  endpoint(
    {
      method: "post",
      path: `${PERSON}/suspend`,
      action: "people.write",
      auditAs: "people.suspend",
      tag: "people",
      summary: "They can read but not write, until the suspension is lifted",
      answer: null,
    },
    async (call) => {
      await mayAct(ctx, call);
      notOneself(call, "suspend");
      call.audit({ target: targetOf(call), after: { state: "suspended" } });
      await suspendPerson(ctx, whoOf(call));
    },
  ),
  endpoint(
    {
      method: "post",
      path: `${PERSON}/unsuspend`,
      action: "people.write",
      auditAs: "people.unsuspend",
      tag: "people",
      summary: "They can write again",
      answer: null,
    },
    async (call) => {
      await mayAct(ctx, call);
      call.audit({ target: targetOf(call), after: { state: "active" } });
      await unsuspendPerson(ctx, whoOf(call));
    },
  ),
  endpoint(
    {
      method: "post",
      path: `${PERSON}/deactivate`,
      action: "people.write",
      auditAs: "people.deactivate",
      tag: "people",
      summary: "End the account for good: signed out, out of all rooms, the name is never given again",
      body: z.object({
        erase: z
          .boolean()
          .openapi({ description: "Hide what they wrote from whoever joins later, remove name and picture." }),
      }),
      answer: null,
    },
    async (call) => {
      await mayAct(ctx, call);
      notOneself(call, "deactivate");
      call.audit({ target: targetOf(call), after: { state: "deactivated", erase: call.body.erase } });
      await endPerson(ctx, { ...whoOf(call), erase: call.body.erase });
    },
  ),
];

const roleEndpoint = (ctx: Context) =>
  endpoint(
    {
      method: "put",
      path: `${PERSON}/role`,
      action: "roles.write",
      tag: "people",
      summary: "What they may do in the panel",
      body: z.object({ role: tenantRole }),
      answer: null,
    },
    async (call) => {
      await mayAct(ctx, call);
      await requireAccount(ctx, whoOf(call));
      const before = await setRole(ctx, { ...whoOf(call), role: call.body.role });
      call.audit({ target: targetOf(call), before: { role: before }, after: call.body });
    },
  );

/** A link of a kind replaces the one before of that kind: there is one that works. */
const linkEndpoint = (
  ctx: Context,
  { kind, path, summary }: { kind: Exclude<LinkKind, "operator">; path: `${typeof PERSON}/${string}`; summary: string },
) =>
  endpoint(
    {
      method: "post",
      path,
      action: "people.write",
      auditAs: kind === "password" ? "people.password_link" : "people.sign_in_link",
      tag: "people",
      summary,
      creates: true,
      answer: linkView,
      status: 201,
    },
    async (call) => {
      const about = { params: { client: call.params.client, user: call.params.user }, caller: call.caller };
      await mayAct(ctx, about);
      const person = await requireAccount(ctx, whoOf(about));
      if (kind === "sign_in" && (person.suspended || person.locked))
        throw new AppError(
          "conflict",
          `${call.params.user} is suspended and cannot use the panel. Lift the suspension first.`,
        );
      const who = whoOf(about);
      await ctx.sql`update one_time_links set revoked_at = ${new Date(ctx.clock.now())} where tenant_id = ${who.tenantId}
        and user_id = ${who.userId} and kind = ${kind} and used_at is null and revoked_at is null`;
      const { id, url, expiresAt } = await createLink(ctx, {
        kind,
        ...who,
        createdBy: call.caller.name,
        ttlMs: LINK_MS,
      });
      // Somebody may have got a higher role since it was asked, and that took away only the links that were there.
      const problem = actingProblem(actorOfCaller(call.caller), { role: await roleOf(ctx, who.tenantId, who.userId) });
      if (problem) {
        await ctx.sql`update one_time_links set revoked_at = ${new Date(ctx.clock.now())} where id = ${id}`;
        throw new AppError("forbidden", problem);
      }
      call.audit({ target: targetOf(about, person.displayName), after: { expiresAt: expiresAt.toISOString() } });
      return { url, expiresAt: expiresAt.toISOString() };
    },
  );

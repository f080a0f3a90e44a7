/** One's own account: password and second factor (operators), sessions. People's passwords are the homeserver's. */
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { signInTries } from "../sign-in/limits.ts";
import { changePassword } from "../sign-in/operators.ts";
import { notingRefusal } from "../sign-in/refusals.ts";
import { listSessions, revokeSession, revokeSessionsOf } from "../sign-in/sessions.ts";
import {
  confirmSecondFactor,
  newRecoveryCodes,
  proposeSecondFactor,
  removeSecondFactor,
  secondFactorOf,
} from "../sign-in/totp.ts";
import { whyOf } from "../sign-in/tried.ts";
import type { Caller } from "./caller.ts";
import { type Endpoint, endpoint, z } from "./endpoint.ts";
import { addressOf } from "./guard.ts";
import { iso } from "./iso.ts";
import { pageOf, pageQuery, readCursor, toPage, writeCursor } from "./pages.ts";
import { accountOf, codeField, passwordField } from "./session.ts";
import { newSecondFactorView, recoveryCodesView, secondFactorView, sessionView } from "./session-views.ts";

/** Throws `forbidden` for people: what it is about belongs to operators' accounts only. */
function operatorId(caller: Caller): string {
  if (caller.kind === "operator") return caller.id;
  throw new AppError(
    "forbidden",
    "Your password and your second factor are those of your Matrix account. Change them in your chat app, under Settings.",
  );
}

const both = z.object({ password: passwordField, code: codeField });

export const accountEndpoints = (ctx: Context): Endpoint[] => [...ownSessions(ctx), ...ownPassword(ctx)];

function ownPassword(ctx: Context): Endpoint[] {
  const tries = signInTries(ctx);
  /** Whoever sits at an open browser may not try passwords or codes either. */
  const counted = <T>({ kind, id, name }: Caller, address: string, work: () => Promise<T>): Promise<T> =>
    notingRefusal(
      ctx,
      async (error) => {
        const why = whyOf(error) === "closed" ? "wrong_password" : whyOf(error);
        const target = { kind, id, name };
        return why && { action: "session.check_refused", address, actor: target, tenantId: null, target, why };
      },
      async () => {
        const taken = tries.take({ address, name: id });
        const result = await work();
        taken.forgive();
        return result;
      },
    );
  const target = (caller: Caller) => ({ target: { kind: "operator", id: caller.id, name: caller.name } });
  return [
    endpoint(
      {
        method: "put",
        path: "/me/password",
        action: "signed_in",
        auditAs: "session.set_password",
        tag: "session",
        summary: "Change one's password (operators); ends one's other sessions",
        body: z.object({ password: passwordField, newPassword: passwordField }),
        answer: null,
      },
      async ({ caller, body, audit, http }) => {
        const id = operatorId(caller);
        audit(target(caller));
        await counted(caller, addressOf(http), () => changePassword(ctx, id, { ...body, sessionId: caller.sessionId }));
      },
    ),
    endpoint(
      {
        method: "get",
        path: "/me/totp",
        action: "signed_in",
        tag: "session",
        summary: "Whether one's second factor is on (operators)",
        answer: secondFactorView,
      },
      async ({ caller }) => await secondFactorOf(ctx, operatorId(caller)),
    ),
    endpoint(
      {
        method: "post",
        path: "/me/totp",
        action: "signed_in",
        auditAs: null, // nothing is stored before it is confirmed
        tag: "session",
        summary: "A new secret for a second factor, to be confirmed with a code",
        answer: newSecondFactorView,
      },
      async ({ caller }) => await proposeSecondFactor(ctx, operatorId(caller)),
    ),
    endpoint(
      {
        method: "post",
        path: "/me/totp/confirm",
        action: "signed_in",
        auditAs: "session.second_factor_on",
        tag: "session",
        summary: "Switch the second factor on; recovery codes are shown this once",
        body: z.object({ pending: z.string().max(1000), code: codeField }),
        answer: recoveryCodesView,
      },
      async ({ caller, body, audit, http }) => {
        const id = operatorId(caller);
        audit({ ...target(caller), before: { secondFactor: false }, after: { secondFactor: true } });
        const confirm = () => confirmSecondFactor(ctx, id, body);
        return { recoveryCodes: await counted(caller, addressOf(http), confirm) };
      },
    ),
    endpoint(
      {
        method: "post",
        path: "/me/totp/disable",
        action: "signed_in",
        auditAs: "session.second_factor_off",
        tag: "session",
        summary: "Switch the second factor off, with password and code",
        body: both,
        answer: null,
      },
      async ({ caller, body, audit, http }) => {
        const id = operatorId(caller);
        audit({ ...target(caller), before: { secondFactor: true }, after: { secondFactor: false } });
        await counted(caller, addressOf(http), () => removeSecondFactor(ctx, id, body));
      },
    ),
    endpoint(
      {
        method: "post",
        path: "/me/totp/recovery-codes",
        action: "signed_in",
        auditAs: "session.new_recovery_codes",
        tag: "session",
        summary: "Ten new recovery codes in place of the old ones, with password and code",
        body: both,
        answer: recoveryCodesView,
      },
      async ({ caller, body, audit, http }) => {
        const id = operatorId(caller);
        audit(target(caller));
        return { recoveryCodes: await counted(caller, addressOf(http), () => newRecoveryCodes(ctx, id, body)) };
      },
    ),
  ];
}

const ownSessions = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: "/me/sessions",
      action: "signed_in",
      tag: "session",
      summary: "Browsers in which one is signed in, the last used first",
      query: pageQuery,
      answer: pageOf(sessionView),
    },
    async ({ caller, query }) => {
      const all = await listSessions(ctx, accountOf(caller)); // the 100 newest: one account has no more than that in use
      const [seen, id] = readCursor(query.cursor, "number", "string") ?? [];
      const from = id === undefined ? 0 : all.findIndex((one) => one.lastSeenAt < (seen ?? 0) || one.id === id);
      const rows = from < 0 ? [] : all.slice(id !== undefined && all[from]?.id === id ? from + 1 : from);
      return toPage(
        rows,
        query.limit,
        (row) => writeCursor(row.lastSeenAt, row.id),
        ({ createdAt, lastSeenAt, expiresAt, ...row }) => ({
          ...row,
          createdAt: iso(createdAt),
          lastSeenAt: iso(lastSeenAt),
          expiresAt: iso(expiresAt),
          current: row.id === caller.sessionId,
        }),
      );
    },
  ),
  endpoint(
    {
      method: "delete",
      path: "/me/sessions/{session}",
      action: "signed_in",
      auditAs: "session.end",
      tag: "session",
      summary: "Sign one browser out",
      answer: null,
    },
    async ({ caller, params, audit }) => {
      audit({ target: { kind: "session", id: params.session, name: caller.name } });
      if (!(await revokeSession(ctx, accountOf(caller), params.session)))
        throw new AppError("not_found", "This browser is signed out already. Load the list again.");
    },
  ),
  endpoint(
    {
      method: "post",
      path: "/me/sessions/end-others",
      action: "signed_in",
      auditAs: "session.end_others",
      tag: "session",
      summary: "Sign all other browsers out",
      answer: z.object({ ended: z.number().int() }),
    },
    async ({ caller, audit }) => {
      const ended = await revokeSessionsOf(ctx, accountOf(caller), caller.sessionId);
      audit({ target: { kind: caller.kind, id: caller.id, name: caller.name }, after: { ended } });
      return { ended };
    },
  ),
];

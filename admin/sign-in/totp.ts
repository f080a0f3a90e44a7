/** The second factor of operators: codes by time (RFC 6238), each good once, and recovery codes for a lost phone. */
import { Secret, TOTP } from "otpauth";
import { toString as drawQr } from "qrcode";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { checkOwnPassword, getOperator } from "./operators.ts";
import { recoveryCodesLeft, replaceRecoveryCodes, takeRecoveryCode } from "./recovery-codes.ts";

const PERIOD_MS = 30_000;
/** How long a secret waits to be confirmed with a code. */
const PENDING_MS = 15 * 60_000;

const about = (operatorId: string) => `operators:${operatorId}:totp`;
const aboutPending = (operatorId: string) => `operators:${operatorId}:totp_pending`;
const WRONG_CODE = "This code is not right, or was used already. Type the one that your app shows now.";

export interface NewSecondFactor {
  /** Base32, for those who type it. */
  secret: string;
  /** `otpauth://totp/…` as a picture (SVG). */
  qr: string;
  /** The sealed secret, to be sent back with the first code. Nothing is stored before that. */
  pending: string;
}

/** A new secret to put into an authenticator app. Throws `conflict` when there is a second factor already. */
export async function proposeSecondFactor(ctx: Context, operatorId: string): Promise<NewSecondFactor> {
  const { name, secondFactor } = await getOperator(ctx, operatorId);
  if (secondFactor)
    throw new AppError("conflict", "Your second factor is on already. Turn it off to set up another one.");
  const secret = new Secret({ size: 20 }).base32;
  const qr = await drawQr(totpOf(secret, name).toString(), { type: "svg", margin: 1 });
  const content = JSON.stringify({ secret, until: ctx.clock.now() + PENDING_MS });
  return { secret, qr, pending: ctx.secrets.seal(content, aboutPending(operatorId)) };
}

/** Switches it on once a code shows that the app has the secret. Returns the recovery codes, which are shown this once. */
export async function confirmSecondFactor(
  ctx: Context,
  operatorId: string,
  { pending, code }: { pending: string; code: string },
): Promise<string[]> {
  const secret = openPending(ctx, operatorId, pending);
  const step = stepOf(ctx, secret, code);
  if (step === null) throw new AppError("invalid", WRONG_CODE);
  const sealed = ctx.secrets.seal(secret, about(operatorId));
  return await ctx.sql.begin(async (tx) => {
    const [on] = await tx`
      update operators set totp_secret = ${sealed}, totp_last_step = ${step}
      where id = ${operatorId} and totp_secret is null returning 1`;
    if (!on) throw new AppError("conflict", "Your second factor is on already. Turn it off to set up another one.");
    return await replaceRecoveryCodes(tx, operatorId);
  });
}

/** Switches it off, with the password and a code. Throws `forbidden` when one is wrong. */
export async function removeSecondFactor(
  ctx: Context,
  operatorId: string,
  typed: { password: string; code: string },
): Promise<void> {
  await checkBoth(ctx, operatorId, typed);
  await resetSecondFactor(ctx, operatorId);
}

/** Switches it off for somebody who lost phone and recovery codes: another operator or the command line does this. */
export async function resetSecondFactor(ctx: Context, operatorId: string): Promise<void> {
  await ctx.sql.begin(async (tx) => {
    await tx`update operators set totp_secret = null, totp_last_step = null where id = ${operatorId}`;
    await tx`delete from recovery_codes where operator_id = ${operatorId}`;
  });
}

/** Ten new recovery codes in place of the old ones, with the password and a code. */
export async function newRecoveryCodes(
  ctx: Context,
  operatorId: string,
  typed: { password: string; code: string },
): Promise<string[]> {
  await checkBoth(ctx, operatorId, typed);
  return await ctx.sql.begin((tx) => replaceRecoveryCodes(tx, operatorId));
}

export async function secondFactorOf(
  ctx: Context,
  operatorId: string,
): Promise<{ on: boolean; recoveryCodesLeft: number }> {
  const { secondFactor } = await getOperator(ctx, operatorId);
  return { on: secondFactor, recoveryCodesLeft: secondFactor ? await recoveryCodesLeft(ctx, operatorId) : 0 };
}

/** Takes a code of the app or a recovery code, which then is used up. False when it is neither or was used. */
export async function takeCode(ctx: Context, operatorId: string, typed: string): Promise<boolean> {
  const code = typed.replace(/\s/g, "");
  if (!/^\d{6}$/.test(code)) return await takeRecoveryCode(ctx, operatorId, typed);
  const [row] = await ctx.sql<{ sealed: string | null }[]>`
    select totp_secret as sealed from operators where id = ${operatorId}`;
  if (!row?.sealed) return false;
  const step = stepOf(ctx, ctx.secrets.open(row.sealed, about(operatorId)), code);
  if (step === null) return false;
  // Of two who send the same code at once, the second finds the step taken.
  const taken = await ctx.sql`
    update operators set totp_last_step = ${step}
    where id = ${operatorId} and totp_secret = ${row.sealed} and (totp_last_step is null or totp_last_step < ${step}) returning 1`;
  return taken.length > 0;
}

async function checkBoth(ctx: Context, operatorId: string, typed: { password: string; code: string }): Promise<void> {
  const { secondFactor } = await getOperator(ctx, operatorId);
  if (!secondFactor) throw new AppError("conflict", "Your second factor is off already.");
  await checkOwnPassword(ctx, operatorId, typed.password);
  if (!(await takeCode(ctx, operatorId, typed.code))) throw new AppError("forbidden", WRONG_CODE);
}

function openPending(ctx: Context, operatorId: string, pending: string): string {
  try {
    const { secret, until } = JSON.parse(ctx.secrets.open(pending, aboutPending(operatorId))) as {
      secret: string;
      until: number;
    };
    if (until > ctx.clock.now()) return secret;
  } catch (error) {
    ctx.log.info({ err: error }, "a second factor was confirmed with a secret that is not ours");
  }
  throw new AppError(
    "invalid",
    "This took too long, or the page is an old one. Begin again: you get a new picture to scan.",
  );
}

const totpOf = (secret: string, label: string) =>
  new TOTP({ issuer: "Agentopia", label, secret: Secret.fromBase32(secret), period: PERIOD_MS / 1000 });

/** The time step that a code belongs to, one before and one after the present included; null when it is none of them. */
function stepOf(ctx: Context, secret: string, code: string): number | null {
  const now = ctx.clock.now();
  const delta = totpOf(secret, "").validate({ token: code.replace(/\s/g, ""), timestamp: now, window: 1 });
  return delta === null ? null : Math.floor(now / PERIOD_MS) + delta;
}

/** What a refused sign-in was about and why it was refused, for the audit log. Nothing that was typed beside a known name is kept. */
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { isPersonId } from "../../homeserver/people.ts";
import { CodedError } from "../api/conflict.ts";
import type { Change } from "../audit.ts";
import { type Link, lookAtLink } from "./links.ts";
import { fullName, matrixName } from "./sign-in.ts";

/** Why, for the panel's sentences (`admin/web/texts/audit.ts`). */
export type Why =
  | "unknown"
  | "wrong_password"
  | "wrong_code"
  | "no_code"
  | "closed"
  | "too_many"
  | "used"
  | "expired"
  | "revoked"
  | "beyond_count";

export interface Refused {
  tenantId: string | null;
  target: Change["target"];
  why: Why;
}

type About = Omit<Refused, "why">;

/** Pure: the reason in an error; null for what is no refusal (a fault, a form filled in wrongly). */
export function whyOf(error: unknown): Why | null {
  if (error instanceof CodedError && error.problemCode in CODED) return CODED[error.problemCode] ?? null;
  if (!(error instanceof AppError)) return null;
  if (error.code === "too_many") return "too_many";
  return error.code === "forbidden" ? "closed" : null;
}

const CODED: Record<string, Why> = {
  wrong_password: "wrong_password",
  totp_wrong: "wrong_code",
  totp_required: "no_code",
};

const NOBODY: About = { tenantId: null, target: { kind: "account", id: "-", name: null } };

/** A name and a password. A name that nobody here can have is not kept: people type passwords into that field. */
export async function refusedName(ctx: Context, typed: string, why: Why): Promise<Refused> {
  const about = await accountOf(ctx, typed);
  return about ? { ...about, why } : { ...NOBODY, why: why === "wrong_password" ? "unknown" : why };
}

async function accountOf(ctx: Context, typed: string): Promise<About | null> {
  const written = matrixName(await fullName(ctx, typed));
  if (!written) {
    const [row] = await ctx.sql<{ id: string; name: string }[]>`
      select id, name from operators where lower(name) = lower(${typed.normalize("NFC").trim()})`;
    return row ? { tenantId: null, target: { kind: "operator", ...row } } : null;
  }
  const userId = `@${written.localpart}:${written.serverName}`;
  const [tenant] = await ctx.sql<{ id: string }[]>`
    select id from tenants where server_name = ${written.serverName} and state <> 'removing'`;
  return tenant && isPersonId(userId, written.serverName)
    ? { tenantId: tenant.id, target: { kind: "person", id: userId, name: userId } }
    : null;
}

/** A one-time link; null when the link is not the reason. Its token is never kept. */
export async function refusedLink(ctx: Context, token: string, error: unknown): Promise<Refused | null> {
  const link = await lookAtLink(ctx, token).catch((cause: unknown) => {
    if (cause instanceof AppError && cause.code === "not_found") return null;
    throw cause;
  });
  if (!link) return { tenantId: null, target: { kind: "link", id: "-", name: null }, why: whyOf(error) ?? "unknown" };
  const over = link.state === "open" ? "closed" : link.state;
  const why = error instanceof AppError && error.code === "gone" ? over : whyOf(error);
  return why && { tenantId: link.tenantId, target: { kind: "link", id: link.id, name: await ownerOf(ctx, link) }, why };
}

async function ownerOf(ctx: Context, { operatorId, userId }: Link): Promise<string | null> {
  if (operatorId === null) return userId;
  const [row] = await ctx.sql<{ name: string }[]>`select name from operators where id = ${operatorId}`;
  return row?.name ?? null;
}

/** Codes on paper for a lost phone: 80 random bits each, so that a plain hash keeps them. */
import { randomBytes } from "node:crypto";
import type { TransactionSql } from "postgres";
import type { Context } from "../../core/context.ts";
import { hashToken } from "../../core/ids.ts";

const COUNT = 10;
/** Without letters and digits that look alike. */
const ALPHABET = "abcdefghjkmnpqrstuvwxyz023456789";

/** Ten new ones in place of those before, as `abcd-efgh-jkmn-pqrs`. */
export async function replaceRecoveryCodes(tx: TransactionSql, operatorId: string): Promise<string[]> {
  const codes = Array.from({ length: COUNT }, newCode);
  await tx`delete from recovery_codes where operator_id = ${operatorId}`;
  for (const code of codes)
    await tx`insert into recovery_codes (operator_id, code_hash) values (${operatorId}, ${hashToken(bare(code))})`;
  return codes;
}

/** Uses one up. False when it is none, or was used. */
export async function takeRecoveryCode(ctx: Context, operatorId: string, typed: string): Promise<boolean> {
  const used = await ctx.sql`
    update recovery_codes set used_at = ${new Date(ctx.clock.now())}
    where operator_id = ${operatorId} and code_hash = ${hashToken(bare(typed))} and used_at is null returning 1`;
  return used.length > 0;
}

export async function recoveryCodesLeft(ctx: Context, operatorId: string): Promise<number> {
  const [row] = await ctx.sql<{ left: number }[]>`
    select count(*)::int as left from recovery_codes where operator_id = ${operatorId} and used_at is null`;
  return row?.left ?? 0;
}

const newCode = (): string =>
  [...randomBytes(16)]
    .map((byte) => ALPHABET[byte % 32])
    .join("")
    .replace(/(.{4})(?=.)/g, "$1-");

/** However it was typed: case, spaces and dashes do not count. */
const bare = (code: string): string => code.toLowerCase().replace(/[^a-z0-9]/g, "");

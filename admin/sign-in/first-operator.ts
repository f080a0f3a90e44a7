/** The way in for whoever started the platform: a link for the first operator, as long as nobody has a password. */
import type { Context } from "../../core/context.ts";
import { writeAudit } from "../audit.ts";
import { createLink, revokeOperatorLinks } from "./links.ts";
import { createOperator, listOperators, type Operator } from "./operators.ts";
import { resetSecondFactor } from "./totp.ts";

const FIRST_NAME = "admin";
const FIRST_LINK_MS = 7 * 86_400_000;
/** A link that one operator hands to another. */
const OPERATOR_LINK_MS = 2 * 86_400_000;

/** At a start: the address of a new link (those before end), or null when an operator has a password. Makes the first operator. */
export async function firstOperatorLink(ctx: Context): Promise<string | null> {
  const all = await listOperators(ctx);
  if (all.some(({ hasPassword }) => hasPassword)) return null;
  const first = all.find(({ state }) => state === "active") ?? (await makeFirstOperator(ctx));
  await revokeOperatorLinks(ctx, first.id);
  const link = { kind: "operator", operatorId: first.id, createdBy: "npm start", ttlMs: FIRST_LINK_MS } as const;
  return (await createLink(ctx, link)).url;
}

/** The account "admin", of whoever has the machine. */
export async function makeFirstOperator(ctx: Context): Promise<Operator> {
  const made = await createOperator(ctx, { name: FIRST_NAME });
  await writeAudit(ctx, {
    actor: { kind: "command_line", id: "start", name: "npm start" },
    tenantId: null,
    action: "operators.create",
    target: { kind: "operator", id: made.id, name: made.name },
    after: { name: made.name },
  });
  return made;
}

/** A new link for an operator; those before end. `resetSecondFactor`: for somebody who lost phone and recovery codes. */
export async function linkForOperator(
  ctx: Context,
  operatorId: string,
  how: { createdBy: string; resetSecondFactor?: boolean | undefined; ttlMs?: number | undefined },
): Promise<{ url: string; expiresAt: Date }> {
  await revokeOperatorLinks(ctx, operatorId);
  if (how.resetSecondFactor) await resetSecondFactor(ctx, operatorId);
  const { createdBy, ttlMs = OPERATOR_LINK_MS } = how;
  return await createLink(ctx, { kind: "operator", operatorId, createdBy, ttlMs });
}

/** A decision that somebody makes in the panel: the same rows, and the same run that goes on, as by a reaction in the room. */
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { tellQueued } from "../drain.ts";
import { type ListedApproval, type Looker, readApproval } from "./list.ts";
import { whatBecame } from "./panel.ts";
import { writeVerdict } from "./write.ts";

export interface PanelVerdict {
  verdict: "approved" | "declined" | "always" | "answered";
  answer: string | null;
}

/** Somebody else was faster, or its time is over: what it is now goes with the sentence. */
export class DecidedAlready extends AppError {
  readonly now: ListedApproval;
  constructor(now: ListedApproval) {
    super("conflict", whatBecame(now.state, now.decidedBy?.name ?? null));
    this.name = "DecidedAlready";
    this.now = now;
  }
}

/** Returns it as it is then. Throws `not_found`, `forbidden`, `invalid` for what this question cannot be told, `DecidedAlready`. */
export async function decideInPanel(
  ctx: Context,
  which: { tenantId: string; id: string },
  looker: Looker,
  { verdict, answer }: PanelVerdict,
): Promise<ListedApproval> {
  const asked = await find(ctx, which, looker);
  if (asked.whyNot !== null) throw new AppError("forbidden", asked.whyNot);
  if (asked.state !== "open") throw new DecidedAlready(asked);
  const problem = unfit(asked, { verdict, answer });
  if (problem) throw new AppError("invalid", problem);
  const wish = { approvalId: asked.id, verdict, answer, by: looker.by, via: "panel", at: ctx.clock.now() } as const;
  const queued = await ctx.sql.begin((sql) => writeVerdict(sql, wish));
  const now = await find(ctx, which, looker);
  if (queued === null) throw new DecidedAlready(now);
  tellQueued(ctx, queued);
  return now;
}

async function find(ctx: Context, which: { tenantId: string; id: string }, looker: Looker): Promise<ListedApproval> {
  const found = await readApproval(ctx, which, looker);
  if (!found) throw new AppError("not_found", "There is nothing of this kind that you may decide.");
  return found;
}

function unfit({ kind, grantable }: ListedApproval, { verdict, answer }: PanelVerdict): string | null {
  if ((kind === "input") !== (verdict === "answered"))
    return kind === "input" ? "This is a question. Write an answer." : "This is not a question. Allow it or refuse it.";
  if (verdict === "answered" && !answer) return "Write an answer first.";
  if (verdict === "always" && !grantable)
    return "This cannot be allowed for always: it is decided each time. Allow it this once, or refuse it.";
  return null;
}

/** Ids of answers and runs, made of what caused them: what happens twice is one row. */
import { stableId } from "../core/ids.ts";
import type { RunStart } from "./decision.ts";

export const answerIdOf = (tenantId: string, run: Pick<RunStart, "questionEvent" | "agentId" | "again">): string =>
  stableId(tenantId, run.questionEvent, run.agentId, run.again);

export const runIdOf = (tenantId: string, run: Pick<RunStart, "triggerEvent" | "agentId" | "again">): string =>
  stableId(tenantId, run.triggerEvent, run.agentId, run.again);

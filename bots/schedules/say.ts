/** What is said in a room about its schedules, by nobody's message. */
import type { TransactionSql } from "postgres";
import { speakersIn } from "../speaker.ts";
import { writeAction } from "../write-decision.ts";
import type { Schedule } from "./schedules.ts";

type Place = Pick<Schedule, "tenantId" | "roomId" | "agentId"> & { threadRoot?: string | null };

/** Once for each cause; by the control bot where it is, else the agent; not at all where neither is. */
export async function sayInRoom(
  sql: TransactionSql,
  place: Place,
  { cause, text }: { cause: (string | number)[]; text: string },
): Promise<void> {
  const { control, agent } = await speakersIn(sql, place);
  const as = control ?? agent;
  if (!as) return;
  const thread = place.threadRoot ? { threadRoot: place.threadRoot } : {};
  await writeAction(sql, place, cause, { kind: "notice", as, text, ...thread });
}

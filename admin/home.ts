/** The first page: what needs a look, what happened today, what comes next. Figures are asked for at most every few seconds. */
import type { Context } from "../core/context.ts";
import type { TenantRow } from "../homeserver/tenants.ts";
import { type ClientFacts, listClients } from "./clients.ts";
import { DEMO } from "./demo.ts";
import { clientAttention, clientSteps, clientToday, questionsOf } from "./home-client.ts";
import { anyAnswer, operatorAttention, operatorToday } from "./home-operator.ts";
import { remembered } from "./remember.ts";
import { listRooms, type RoomFacts } from "./rooms-list.ts";

export const ATTENTION_KINDS = [
  "client_down",
  "approvals_waiting",
  "no_model",
  "failed_runs",
  "calls_unknown",
  "calls_failed",
  "token_cap",
  "team_problem",
  "backup_failed",
  "backup_old",
  "backup_none",
  "no_second_factor",
  "agents_draft",
  "agents_paused",
  "agents_roomless",
  "invites_expiring",
  "invites_unused",
  "people_suspended",
] as const;

/** One line of what needs a look; the panel has the sentence for each kind. */
export interface Attention {
  kind: (typeof ATTENTION_KINDS)[number];
  client?: { id: string; title: string };
  count?: number;
  /** What it is about: agents, operators, a team; of a homeserver its state. */
  names?: string[];
  /** The sentence that was left behind. */
  text?: string | null;
  /** Milliseconds since 1970. */
  at?: number | null;
  /** A page of the panel. */
  link: string;
}

/** Since midnight in UTC, as tokens are counted. */
export interface Today {
  answers: number;
  tokens: number;
  tokensCap: number | null;
  peopleActive: number;
  newPeople: number;
}

export interface Step {
  kind: "team" | "agent" | "people";
  state: "done" | "next" | "later";
  link: string;
}

export interface Question {
  run: string;
  state: string;
  /** Milliseconds since 1970. */
  at: number;
  agentId: string;
  agentName: string;
  roomId: string;
  roomName: string | null;
  event: string;
  text: string | null;
}

export interface Mine {
  rooms: RoomFacts[];
  questions: Question[];
}

const KEPT_MS = 3_000;
const ROOMS = 30;
const CLIENTS = 6;

export interface OperatorHome {
  attention: Attention[];
  today: Today;
  /** The first few, those that need a look before the others. */
  clients: ClientFacts[];
  /** There are no clients but the demo one, and nobody was answered yet. */
  fresh: { demo: string | null } | null;
}

export const operatorHome = (ctx: Context): Promise<OperatorHome> =>
  remembered(ctx, "home", KEPT_MS, async () => {
    const [attention, today, found] = await Promise.all([
      operatorAttention(ctx),
      operatorToday(ctx),
      listClients(ctx, { limit: CLIENTS }),
    ]);
    const clients = found.map(({ facts }) => facts);
    const fresh = clients.every(({ id }) => id === DEMO) && !(await anyAnswer(ctx));
    return { attention, today, clients, fresh: fresh ? { demo: clients[0]?.id ?? null } : null };
  });

/** For who may read the client's figures; people whose role may not are given what is theirs only. */
export const clientHome = (
  ctx: Context,
  tenant: TenantRow,
): Promise<{ attention: Attention[]; today: Today; steps: Step[] }> =>
  remembered(ctx, `home ${tenant.id}`, KEPT_MS, async () => {
    const [attention, today, steps] = await Promise.all([
      clientAttention(ctx, tenant),
      clientToday(ctx, tenant),
      clientSteps(ctx, tenant),
    ]);
    return { attention, today, steps };
  });

/** The rooms that somebody is in and what they asked last. */
export async function homeOf(ctx: Context, tenantId: string, userId: string): Promise<Mine> {
  const wish = { tenantId, onlyFor: userId, limit: ROOMS, after: null, archived: false };
  const [rooms, questions] = await Promise.all([listRooms(ctx, wish), questionsOf(ctx, tenantId, userId)]);
  return { rooms: rooms.slice(0, ROOMS), questions };
}

import { createAgent } from "../../bots/agents.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import { countingFaults, type RoomEvent } from "./answers.ts";
import { eventually } from "./eventually.ts";
import type { Person } from "./person.ts";
import type { Platform } from "./platform.ts";

/** A tenant without limits on how fast people talk, one agent, and one person in several rooms with it. */
export interface Crowd {
  tenant: string;
  person: Person;
  agentId: string;
  rooms: string[];
  /** Every question that the homeserver took. */
  asked: Asked[];
  /** Asks in a room; goes on trying, as clients do, until the homeserver has taken it. */
  ask(roomId: string, directive?: string): Promise<Asked>;
  /** Waits until so many answers are held in the model; else says of the newest questions how far each came. */
  inTheModel(count: number): Promise<void>;
  /** Waits until nothing is open any more, then returns what is wrong: empty when each question has exactly one finished answer. */
  faults(timeoutMs?: number): Promise<string[]>;
}

export interface Asked {
  id: string;
  marker: string;
  roomId: string;
}

/** Makes the tenant, the agent, the person and the rooms. */
export async function makeCrowd(platform: Platform, options: { tenant: string; rooms: number }): Promise<Crowd> {
  const { tenant } = options;
  await makeTenant(platform, tenant);
  const agent = await createAgent(platform.ctx, {
    tenantId: tenant,
    definition: {
      name: "Answerer",
      description: "Answers.",
      instructions: "Answer.",
      model: null,
      whoMayInvite: "anyone",
      scope: "member",
    },
  });
  const person = await platform.person("crowd", tenant);
  const rooms: string[] = [];
  for (let n = 1; n <= options.rooms; n++)
    rooms.push(await person.makeRoom({ name: `room ${n}`, invite: [agent.userId] }));
  const asked: Asked[] = [];
  return {
    tenant,
    person,
    agentId: agent.userId,
    rooms,
    asked,
    async ask(roomId, directive = "") {
      const marker = `#${tenant}-${asked.length + 1}`;
      const question = { id: "", marker, roomId };
      asked.push(question);
      question.id = await surely(person, roomId, marker, {
        msgtype: "m.text",
        body: `${marker} ${directive}`,
        "m.mentions": { user_ids: [agent.userId] },
      });
      return question;
    },
    async inTheModel(count) {
      try {
        await platform.model.until((model) => model.heldNow().length >= count, `${count} answers in the model`);
      } catch (error) {
        throw new Error(`${(error as Error).message} ${await whereabouts(platform, tenant, asked.slice(-2 * count))}`);
      }
    },
    faults: (timeoutMs = 120_000) => faultsOf(platform, { tenant, person, asked }, timeoutMs),
  };
}

/** A tenant whose people may ask as fast as they like; resolves when its homeserver answers. */
export async function makeTenant(platform: Platform, id: string): Promise<void> {
  const { ctx } = platform;
  await createTenant(ctx, { id, config: { rateLimits: "off" } });
  const limits = { quickReplies: 1e6, personPairPerHour: 1e6 };
  await ctx.sql`update tenants set limits = ${ctx.sql.json(limits)} where id = ${id}`;
  await eventually(
    `the homeserver of ${id}`,
    async () => (await ctx.sql`select 1 from tenants where id = ${id} and state = 'running'`).length === 1,
    { timeoutMs: 90_000 },
  );
}

/** PUTs a message under one transaction id until the homeserver has it: away, restarting and 5xx are waited for. */
async function surely(person: Person, roomId: string, txnId: string, content: object): Promise<string> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${encodeURIComponent(txnId)}`;
  return await eventually(
    `${txnId} to be sent`,
    async () => {
      try {
        const response = await fetch(`${person.homeserverUrl}${path}`, {
          method: "PUT",
          headers: { authorization: `Bearer ${person.accessToken}` },
          body: JSON.stringify(content),
          signal: AbortSignal.timeout(10_000),
        });
        const body = (await response.json()) as { event_id?: string };
        return body.event_id;
      } catch (error) {
        if (error instanceof TypeError || error instanceof SyntaxError || (error as Error).name === "TimeoutError")
          return;
        throw error;
      }
    },
    { timeoutMs: 120_000, everyMs: 200 },
  );
}

async function faultsOf(
  platform: Platform,
  { tenant, person, asked }: Pick<Crowd, "tenant" | "person" | "asked">,
  timeoutMs: number,
): Promise<string[]> {
  const rooms = [...new Set(asked.map(({ roomId }) => roomId))];
  const histories = async () => (await Promise.all(rooms.map((room) => person.history(room)))).flat() as RoomEvent[];
  const now = async () => countingFaults(await histories(), asked);
  const lostOrOpen = /was lost|never ended/;
  try {
    await eventually(
      "every question to be answered",
      async () => !(await now()).some((fault) => lostOrOpen.test(fault)),
      {
        timeoutMs,
        everyMs: 500,
      },
    );
    await eventually("nothing to be open", () => nothingOpen(platform, tenant), { timeoutMs: 30_000, everyMs: 200 });
  } catch (error) {
    const faults = await now();
    const open = asked.filter(({ marker }) =>
      faults.some((fault) => lostOrOpen.test(fault) && fault.startsWith(`${marker} `)),
    );
    return faults.length > 0 ? [...faults, await whereabouts(platform, tenant, open)] : [String(error)];
  }
  return now();
}

/** How far each question came, as the rows say it. */
async function whereabouts({ ctx }: Platform, tenant: string, asked: Asked[]): Promise<string> {
  const rows = await ctx.sql<
    { eventId: string; outcome: string | null; run: string | null; workflow: string | null }[]
  >`
    select i.event_id as "eventId", i.outcome, r.state as run, w.status as workflow from inbox i
      left join runs r on r.tenant_id = i.tenant_id and r.trigger_event = i.event_id
      left join dbos.workflow_status w on w.workflow_uuid = r.workflow_id
    where i.tenant_id = ${tenant} and i.event_id = any(${asked.map(({ id }) => id)})`;
  const lines = asked.map(({ id, marker }) => {
    const row = rows.find(({ eventId }) => eventId === id);
    if (!row) return `${marker}: never came in`;
    return `${marker}: ${row.outcome ?? "not routed"}, run ${row.run ?? "none"}, workflow ${row.workflow ?? "none"}`;
  });
  return `How far they came: ${lines.join("; ") || "none is open"}.`;
}

/** True when a second answer could no longer come: all is routed, no run is open. */
async function nothingOpen({ ctx }: Platform, tenant: string): Promise<boolean> {
  const [row] = await ctx.sql<{ open: number }[]>`
    select (select count(*) from inbox where tenant_id = ${tenant} and routed_at is null)
      + (select count(*) from runs where tenant_id = ${tenant} and state in ('queued', 'running')) as open`;
  return Number(row?.open) === 0;
}

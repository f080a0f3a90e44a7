import { cpuMs, percentile } from "./measure.ts";
import { ROOMS, type Setting, type Side } from "./setting.ts";

export interface Latency {
  questions: number;
  p50: number;
  p95: number;
}

export interface Rate {
  answers: number;
  perSecond: number;
  /** Own CPU time for each answer, without Synapse, Postgres, model and person. */
  cpuMsPerAnswer: number;
}

let asked = 0;
const marker = () => `#b${String(++asked).padStart(6, "0")}`;

/** Question → first visible, one at a time: one of the product, one of the floor, and so on. `count` for each. */
export async function measureLatency(setting: Setting, count: number): Promise<{ product: Latency; floor: Latency }> {
  const figures = new Map<Side, number[]>([
    [setting.product, []],
    [setting.floor, []],
  ]);
  for (let n = 0; n < count + WARM_UP; n++) {
    for (const [side, list] of figures) {
      const { firstVisibleMs } = await setting.asker.ask(side.rooms[0] ?? "", side.botId, marker());
      if (n >= WARM_UP) list.push(firstVisibleMs);
    }
  }
  const [product = [], floor = []] = [...figures.values()];
  return { product: latencyOf(product), floor: latencyOf(floor) };
}

const WARM_UP = 20;

const latencyOf = (figures: number[]): Latency => ({
  questions: figures.length,
  p50: percentile(figures, 0.5),
  p95: percentile(figures, 0.95),
});

/** Answers a second with 20 rooms at once, each asking its next question when it has its answer; in turns of both sides. */
export async function measureRate(
  setting: Setting,
  rounds: number,
  perRoom: number,
): Promise<{ product: Rate; floor: Rate }> {
  const sides = [setting.product, setting.floor];
  const sums = sides.map(() => ({ answers: 0, ms: 0, cpu: 0 }));
  for (const side of sides) await askEverywhere(setting, side, 1);
  for (let round = 0; round < rounds; round++)
    for (const [index, side] of sides.entries()) {
      const sum = sums[index] as (typeof sums)[number];
      const cpuBefore = cpuOf(side);
      const began = performance.now();
      await askEverywhere(setting, side, perRoom);
      sum.ms += performance.now() - began;
      await settled(setting);
      sum.cpu += cpuOf(side) - cpuBefore;
      sum.answers += perRoom * (ROOMS - 1);
    }
  const [product, floor] = sums.map(({ answers, ms, cpu }) => ({
    answers,
    perSecond: (answers * 1000) / ms,
    cpuMsPerAnswer: cpu / answers,
  }));
  return { product: product as Rate, floor: floor as Rate };
}

const cpuOf = (side: Side) => side.pids().reduce((sum, pid) => sum + cpuMs(pid), 0);

/** What a run does after its answer is visible belongs to it too. */
async function settled({ ctx }: Setting): Promise<void> {
  for (;;) {
    const [row] = await ctx.sql`select count(*)::int as open from runs where state in ('queued', 'running')`;
    if (row?.open === 0) return;
  }
}

/** Asks in all rooms of a side but the first at once, `perRoom` questions in each one after the other. */
export async function askEverywhere({ asker }: Setting, side: Side, perRoom: number): Promise<void> {
  await Promise.all(
    side.rooms.slice(1).map(async (room) => {
      for (let n = 0; n < perRoom; n++) await asker.ask(room, side.botId, marker());
    }),
  );
}

/** How many events a stream of 62 pieces in 1.6 s makes. */
export async function measureStream({ asker, product }: Setting): Promise<number> {
  const [room = ""] = product.rooms;
  const mark = marker();
  const text = "piece ".repeat(200);
  const before = asker.seen(room).length;
  const { eventId } = await asker.ask(
    room,
    product.botId,
    mark,
    `[[text Answer to ${mark} ${text}]] [[chunks 62 1600]]`,
  );
  const finished = () =>
    asker.seen(room).some(({ content }) => {
      const run = content["dev.agentopia.run"];
      return run?.question === eventId && run.final;
    });
  await asker.until(finished, "the end of the stream");
  return asker
    .seen(room)
    .slice(before)
    .filter((event) => event.type === "m.room.message" && event.sender === product.botId).length;
}

/** `kill -9` with 8 answers in the model: from the platform being up again until the first of them is finished. */
export async function measureRecovery({
  asker,
  product,
  platform,
}: Setting): Promise<{ startMs: number; firstMs: number; allMs: number }> {
  const { model } = platform;
  model.hold();
  const questions = product.rooms.slice(1, 9).map((room) => asker.ask(room, product.botId, marker()));
  await model.until((server) => server.heldNow().length === 8, "8 answers in the model");
  await platform.kill9();
  model.release();
  const startMs = await platform.start();
  const up = performance.now();
  const first = Promise.race(questions).then(() => performance.now() - up);
  const firstMs = await first;
  await Promise.all(questions);
  return { startMs, firstMs, allMs: performance.now() - up };
}

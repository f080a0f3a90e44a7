/**
 * `npm run bench`: everything that is promised in figures, measured in one run, as a table on stdout and as JSON in
 * `test/results/bench.json`. `-- --quick` asks fewer questions, `-- --lists` measures the panel's lists only, `-- --tools` what tools cost only,
 * `-- --json` prints the JSON in place of the table.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { ROOT } from "../../core/config.ts";
import { makeResultsFolder, RESULTS } from "../harness/results.ts";
import { measureEngineShare } from "./engine-share.ts";
import { measureLists } from "./lists.ts";
import { mean } from "./measure.ts";
import { defineAgents, measureFootprint, measureTenants } from "./memory.ts";
import { askEverywhere, measureLatency, measureRate, measureRecovery, measureStream } from "./questions.ts";
import { type Figure, table } from "./report.ts";
import { type Setting, startSetting } from "./setting.ts";
import { measureDecisions, measureTools } from "./tools.ts";

const quick = process.argv.includes("--quick");
const say = (line: string) => process.stderr.write(`… ${line}\n`);

const only = process.argv.find((argument) => argument === "--lists" || argument === "--tools");
const figures = only === "--lists" ? [] : await withSetting(only === "--tools" ? measureToolsOnly : measure);
if (only !== "--tools") figures.push(...(await lists()));
report(figures);

function report(figures: Figure[]): void {
  const machine = `${os.cpus().length} × ${os.cpus()[0]?.model}, ${Math.round(os.totalmem() / 2 ** 30)} GiB`;
  makeResultsFolder("");
  writeFileSync(path.join(RESULTS, "bench.json"), JSON.stringify({ machine, quick, figures }, undefined, 2));
  console.log(process.argv.includes("--json") ? JSON.stringify({ machine, quick, figures }) : table(figures, machine));
  process.exitCode = figures.some(({ ok }) => !ok) ? 1 : 0;
}

async function withSetting(measure: (setting: Setting) => Promise<Figure[]>): Promise<Figure[]> {
  const setting = await startSetting(say);
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void setting.end().finally(() => process.exit(130)));
  try {
    return await measure(setting);
  } finally {
    await setting.end();
  }
}

/** Each list's 95th percentile against the promise; the requests come 20 at once. */
async function lists(): Promise<Figure[]> {
  const amounts = quick ? { clients: 200, people: 10_000, agents: 5_000, runs: 50_000 } : undefined;
  const measured = await measureLists({ ...(amounts ? { amounts } : {}), requests: quick ? 60 : 200, say });
  return measured.map(({ list, p95 }) => ({
    name: `p95 of ${list.length > 70 ? `${list.slice(0, 69)}…` : list}`,
    value: p95,
    unit: "ms",
    limit: 100,
    atLeast: false,
    ok: p95 <= 100,
  }));
}

type Add = (name: string, value: number, unit: string, limit?: number, atLeast?: boolean) => void;

function collect(): { figures: Figure[]; add: Add } {
  const figures: Figure[] = [];
  return {
    figures,
    add(name, value, unit, limit, atLeast = false) {
      const ok = limit === undefined || (atLeast ? value >= limit : value <= limit);
      figures.push({ name, value, unit, limit: limit ?? null, atLeast, ok });
      say(`${name}: ${value.toFixed(2)} ${unit}`);
    },
  };
}

async function measureToolsOnly(setting: Setting): Promise<Figure[]> {
  const { figures, add } = collect();
  await addTools(setting, add);
  return figures;
}

async function addTools(setting: Setting, add: Add): Promise<void> {
  say("tool calls and approvals");
  const tools = await measureTools(setting, quick ? 40 : 300);
  add("one tool call within a run p50", tools.call.p50, "ms", 10);
  add("one tool call within a run p95", tools.call.p95, "ms");
  add("reaction received → tool starts p50", tools.approval.p50, "ms", 25);
  add("reaction received → tool starts p95", tools.approval.p95, "ms");
  add("decisions", measureDecisions(), "/s", 100_000, true);
}

async function measure(setting: Setting): Promise<Figure[]> {
  const some = () => askEverywhere(setting, setting.product, quick ? 2 : 5);
  const { figures, add } = collect();

  say("questions one by one, product and floor in turn");
  const latency = await measureLatency(setting, quick ? 60 : 1000);
  add("questions one by one, product and floor together", latency.product.questions + latency.floor.questions, "");
  add("first visible p50, floor", latency.floor.p50, "ms");
  add("first visible p50, product", latency.product.p50, "ms");
  add("first visible p50 ÷ floor", latency.product.p50 / latency.floor.p50, "×", 1.35);
  add("first visible p95, floor", latency.floor.p95, "ms");
  add("first visible p95, product", latency.product.p95, "ms");
  add("first visible p95 ÷ floor", latency.product.p95 / latency.floor.p95, "×", 1.6);

  say("20 rooms at once");
  const rate = await measureRate(setting, quick ? 2 : 5, quick ? 4 : 10);
  add("answers/s over 20 rooms, floor", rate.floor.perSecond, "/s");
  add("answers/s over 20 rooms, product", rate.product.perSecond, "/s");
  add("answers/s ÷ floor", rate.product.perSecond / rate.floor.perSecond, "×", 0.8, true);
  add("own CPU per answer, floor", rate.floor.cpuMsPerAnswer, "ms");
  add("own CPU per answer", rate.product.cpuMsPerAnswer, "ms", 12);

  add("events for a stream of 62 chunks in 1.6 s", await measureStream(setting), "", 6);
  await addTools(setting, add);

  // From here on Synapse is restarted, and it hands the floor, which keeps nothing, all its questions once more.
  setting.endFloor();
  say("kill -9 with 8 answers in the model");
  const recovery = await measureRecovery(setting);
  add("up again after kill -9", recovery.startMs, "ms");
  add("first answer finished after that", recovery.firstMs, "ms", 3000);
  add("all 8 finished after that", recovery.allMs, "ms");

  say("profile of the workflow engine's part");
  const share = await measureEngineShare(setting, some);
  add("of own CPU, the workflow engine", share * 100, "%");
  add("the workflow engine per answer", share * rate.product.cpuMsPerAnswer, "ms");

  say("memory and start with 10 agents, then 10,000");
  const few = await measureFootprint(setting, some);
  add(`start with Synapse up, ${few.agents} agents`, few.startMs, "ms", 3000);
  add(`memory after the start, ${few.agents} agents`, few.afterStartMiB, "MiB", 250);
  add(`memory after work, ${few.agents} agents`, few.afterWorkMiB, "MiB", 250);
  await defineAgents(setting, 10_000);
  const many = await measureFootprint(setting, some);
  add(`start with Synapse up, ${many.agents} agents`, many.startMs, "ms", 3000);
  add(`memory after the start, ${many.agents} agents`, many.afterStartMiB, "MiB", 300);
  add(`memory after work, ${many.agents} agents`, many.afterWorkMiB, "MiB", 300);

  say("further tenants");
  const tenants = await measureTenants(setting, quick ? 1 : 3);
  add("add a tenant", mean([setting.tenantMs, ...tenants.addMs]), "ms", 15_000);
  add("each further idle tenant", tenants.idleMiB, "MiB", 170);

  say("npm start on a prepared folder");
  add("npm start to ready, prepared folder", await measureNpmStart(setting), "ms", 10_000);
  return figures;
}

/** Everything stopped; then the command that people type, until it says that it is ready. */
async function measureNpmStart({ platform }: Setting): Promise<number> {
  await platform.stop();
  const began = performance.now();
  const child = spawn("npm", ["start"], {
    cwd: ROOT,
    env: { ...process.env, AGENTOPIA_HOME: platform.home, AGENTOPIA_LOCAL_MODEL_PORTS: "none" },
    stdio: ["ignore", "ignore", "inherit"],
    detached: true,
  });
  await platform.ready();
  const ms = performance.now() - began;
  const gone = once(child, "exit");
  process.kill(-(child.pid ?? 0), "SIGINT"); // as a terminal does: to the whole group
  await gone;
  return ms;
}

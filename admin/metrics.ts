import { Hono } from "hono";
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { utcDay } from "../core/clock.ts";
import type { Context } from "../core/context.ts";

/** `/metrics` (Prometheus text format) for the internal listener, which only this machine reaches. Tables are counted when asked. */
export function metricsRoutes(ctx: Context): Hono {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, labelNames: string[], read: (metric: Gauge) => Promise<void>) =>
    new Gauge({
      name: `agentopia_${name}`,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        this.reset();
        await read(this);
      },
    });
  gauge("tenants", "Tenants by the state of their homeserver", ["state"], (metric) =>
    fill(metric, ctx.sql<Sample[]>`select state, count(*)::int as value from tenants group by state`),
  );
  gauge("events_waiting", "Events that wait to be routed", [], (metric) =>
    fill(metric, ctx.sql<Sample[]>`select count(*)::int as value from inbox where routed_at is null`),
  );
  gauge("runs_open", "Runs that wait or are under way", ["state"], (metric) =>
    fill(
      metric,
      ctx.sql<
        Sample[]
      >`select state, count(*)::int as value from runs where state in ('queued', 'running', 'waiting') group by state`,
    ),
  );
  gauge("actions_open", "Small things in Matrix that wait to be done", [], (metric) =>
    fill(metric, ctx.sql<Sample[]>`select count(*)::int as value from actions where state = 'open'`),
  );
  gauge("tokens_today", "Tokens that a tenant used since midnight UTC", ["tenant"], (metric) => {
    const today = utcDay(ctx.clock.now());
    return fill(
      metric,
      ctx.sql<Sample[]>`select tenant_id as tenant, used::float8 as value from token_days where day = ${today}`,
    );
  });
  const app = new Hono();
  app.get("/metrics", async (c) => c.text(await registry.metrics(), 200, { "content-type": registry.contentType }));
  return app;
}

type Sample = { value: number } & Record<string, string | number>;

async function fill(metric: Gauge, query: PromiseLike<readonly Sample[]>): Promise<void> {
  for (const { value, ...labels } of await query) metric.set(labels, value);
}

import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Database, Sql } from "./database.ts";
import type { Log } from "./log.ts";
import type { Secrets } from "./secrets.ts";

/** What every part of the platform works with. Made once in main.ts, passed as the first argument. */
export interface Context {
  config: Config;
  databaseUrl: string;
  sql: Sql;
  db: Database;
  secrets: Secrets;
  clock: Clock;
  log: Log;
}

/** Channels of NOTIFY: rows are the interface between processes, these only wake whoever waits for them. */
export const CHANNELS = {
  /** Payload `tenant room`: events wait to be routed. */
  inbox: "agentopia_inbox",
  /** Payload: run id. A row in `runs` waits to be started. */
  run: "agentopia_run",
  /** Payload: run id, or `form-` and the id of a form that a model does. Its `stop_reason` was set. */
  stop: "agentopia_stop",
  /** Payload: chat id. Something in a chat beside an agent's form changed: a question, a growing text, an end. */
  try: "agentopia_try",
  /** Payload: its id. A form waits that a model does without an agent. */
  form: "agentopia_form",
  /** Payload: none. A row in `actions` waits. */
  action: "agentopia_action",
  /** Payload: none. A row in `schedules` changed. */
  schedule: "agentopia_schedule",
  /** Payload: tenant id. Its row changed: desired state, limits, secrets. */
  tenant: "agentopia_tenant",
  /** Payload `topic` or `topic tenant`: open pages of the panel should look again. */
  panel: "agentopia_panel",
} as const;

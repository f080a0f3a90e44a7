/** What the API says of clients and their homeservers. */
import type { BackupRow } from "../../homeserver/backups.ts";
import type { HealthChange } from "../../homeserver/health-history.ts";
import type { StorageRow } from "../../homeserver/storage.ts";
import type { ClientFacts } from "../clients.ts";
import { moment, z } from "./endpoint.ts";

export const clientState = z.enum([
  "creating",
  "starting",
  "running",
  "stopped",
  "restarting",
  "crash_loop",
  "failed",
  "removing",
]);
export type ClientState = z.output<typeof clientState>;

const driver = z.enum(["process", "external"]).openapi({ description: "process: ours; external: others run it." });

/** One client in the operator's list. */
export const clientRow = z
  .object({
    id: z.string(),
    title: z.string(),
    serverName: z.string(),
    homeserverUrl: z.string(),
    driver,
    state: clientState,
    stateDetail: z.string().nullable(),
    version: z.string().nullable(),
    needsLook: z.boolean().openapi({ description: "Its homeserver is not as it should be. These come first." }),
    people: z.number().int(),
    agents: z.number().int(),
    runsToday: z.number().int().openapi({ description: "Days are UTC." }),
    tokensToday: z.number(),
    lastBackupAt: moment.nullable(),
    createdAt: moment,
  })
  .openapi("ClientRow");
export type ClientRow = z.output<typeof clientRow>;

export const rowOf = (facts: ClientFacts): z.input<typeof clientRow> => ({
  ...facts,
  lastBackupAt: facts.lastBackupAt?.toISOString() ?? null,
  createdAt: facts.createdAt.toISOString(),
});

export const clientView = z
  .object({
    id: z.string(),
    title: z.string(),
    serverName: z.string(),
    homeserverUrl: z.string(),
    elementUrl: z.string().nullable().openapi({ description: "Element Web on this homeserver, where it is served." }),
    state: clientState,
    details: z
      .object({
        driver,
        desired: z.enum(["running", "stopped"]),
        stateDetail: z.string().nullable(),
        version: z.string().nullable(),
        retentionDays: z.number().int(),
        createdAt: moment,
        restarting: z.boolean().openapi({ description: "A restart was asked for and has not begun." }),
        ours: z.boolean().openapi({ description: "It can be restarted, measured, backed up, and its log read here." }),
      })
      .nullable()
      .openapi({ description: "For operators." }),
  })
  .openapi("Client");
export type ClientView = z.output<typeof clientView>;

export const setupView = z
  .object({
    text: z.string().openapi({ description: "What to do, in steps." }),
    folder: z.string().openapi({ description: "Where the same files lie on the platform's machine." }),
    files: z.array(z.object({ name: z.string(), text: z.string() })),
  })
  .openapi("ExternalSetup", { description: "What to add to a Synapse that others run. It holds secrets." });
export type SetupView = z.output<typeof setupView>;

export const clientCreated = clientView.extend({ setup: setupView.nullable() }).openapi("ClientCreated");
export type ClientCreated = z.output<typeof clientCreated>;

export const healthView = z
  .object({ id: z.number().int(), at: moment, state: clientState, detail: z.string().nullable() })
  .openapi("HealthChange");
export type HealthView = z.output<typeof healthView>;

export const healthOf = ({ at, ...rest }: HealthChange): z.input<typeof healthView> => ({
  ...rest,
  at: at.toISOString(),
});

export const storageView = z
  .object({
    day: z.iso.date(),
    databaseBytes: z.number(),
    mediaBytes: z.number(),
    measuredAt: moment,
  })
  .openapi("Storage");
export type StorageView = z.output<typeof storageView>;

export const storageOf = ({ day, databaseBytes, mediaBytes, measuredAt }: StorageRow): z.input<typeof storageView> => ({
  day,
  databaseBytes,
  mediaBytes,
  measuredAt: measuredAt.toISOString(),
});

export const backupView = z
  .object({
    id: z.string(),
    state: z.enum(["waiting", "running", "done", "failed"]),
    bytes: z.number().nullable().openapi({ description: "While it is made: so far." }),
    error: z.string().nullable(),
    file: z.string().nullable().openapi({ description: "Its name in the platform's folder of backups." }),
    requestedBy: z.string(),
    createdAt: moment,
    finishedAt: moment.nullable(),
  })
  .openapi("Backup");
export type BackupView = z.output<typeof backupView>;

export const backupOf = (row: BackupRow): z.input<typeof backupView> => ({
  id: row.id,
  state: row.state,
  bytes: row.bytes,
  error: row.error,
  file: row.file,
  requestedBy: row.requestedBy,
  createdAt: row.createdAt.toISOString(),
  finishedAt: row.finishedAt?.toISOString() ?? null,
});

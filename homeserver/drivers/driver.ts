import type { Context } from "../../core/context.ts";
import type { TenantConfig } from "../../migrations/types.ts";
import type { TenantRow } from "../access.ts";
import type { NewTenant } from "../tenants.ts";

/** How a tenant's homeserver is run. A new way is one file and one line in `list.ts`. */
export interface Driver {
  /** Where a new tenant's homeserver will be, before anything is made. Throws `invalid` for what cannot be. */
  plan(ctx: Context, wish: NewTenant): Promise<{ homeserverUrl: string; config: Partial<TenantConfig> }>;
  /** Makes it run, or takes over the one that runs. Doing it again is harmless. */
  start(ctx: Context, tenant: TenantRow, place: Place): Promise<Running>;
  /** Makes a user a server admin, where the driver can (it may need another admin otherwise). */
  makeAdmin?(ctx: Context, tenant: TenantRow, userId: string): Promise<void>;
  /** What it holds back; asked for after every disturbance and now and then. */
  unsent?(ctx: Context, tenant: TenantRow): Promise<Unsent>;
  /** Events that it dropped while its database was away; asked for after such an outage. */
  forgotten?(ctx: Context, tenant: TenantRow): Promise<Record<string, unknown>[]>;
  /** For homeservers that others start: milliseconds after which it is looked at again. It has no crash loop. */
  lookAgainMs?: number;
  /** Ends one that runs, although we did not start it in this process. */
  halt(ctx: Context, tenant: TenantRow, place: Place): Promise<void>;
  /** Writes what is worth keeping of one that may be running to `file`, whole or not at all. Not there: it is not ours to back up. */
  backup?(ctx: Context, tenant: TenantRow, file: string, watch: BackupWatch): Promise<void>;
  /** What it takes on the disk. Not there: nobody here can know. */
  storage?(ctx: Context, tenant: TenantRow): Promise<{ databaseBytes: number; mediaBytes: number }>;
  /** Where its log is written. Not there: somewhere else. */
  logFile?(ctx: Context, tenant: TenantRow): string;
  /** Writes what is worth keeping to `backup` (a tar file) unless that is null, then takes everything away that `start` made. */
  remove(ctx: Context, tenant: TenantRow, place: Place, backup: string | null): Promise<void>;
}

export interface Unsent {
  /** It is still handing over what had waited: it may begin to hold something back at the end of that. */
  recovering: boolean;
  /** Events that it holds back although nothing hinders it. */
  events: Record<string, unknown>[];
}

export interface BackupWatch {
  /** Ends it early; nothing of it stays. */
  signal?: AbortSignal;
  /** Gets what is written so far, in bytes, about once a second. */
  onBytes?: (bytes: number) => void;
}

/** What a driver is given of the machine. */
export interface Place {
  /** Where homeservers reach us: the internal listener, without a slash at the end. */
  internalUrl: string;
  /** Python of the virtual environment that holds Synapse. */
  python: string;
}

/** A homeserver that was started or taken over. */
export interface Running {
  /** Names this start of it: after a change, events may have been missed. */
  instance: string;
  /**
   * How events that it sent while nobody listened come in: `nothing` is missing (we know this start of it), `resend`: it was set
   * back and sends them again once woken, `messages`: they have to be looked for in the rooms.
   */
  missed: "nothing" | "resend" | "messages";
  /** Resolves when it is gone; never for one that others run. */
  exited: Promise<unknown>;
  /** Its last log lines, for a sentence about why it died. */
  tail(): string;
  /** Whether someone must do something before it can answer, as a sentence. */
  todo?: string;
  stop(): Promise<void>;
}

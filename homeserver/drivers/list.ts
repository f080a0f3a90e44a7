import type { TenantRow } from "../access.ts";
import type { Driver } from "./driver.ts";
import { externalDriver } from "./external.ts";
import { processDriver } from "./process.ts";

const DRIVERS = {
  process: processDriver,
  external: externalDriver,
} satisfies Record<TenantRow["driver"], Driver>;

export const driverOf = (name: TenantRow["driver"]): Driver => DRIVERS[name];

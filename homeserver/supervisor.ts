import type { Context } from "../core/context.ts";
import type { Wake } from "../core/wake.ts";
import type { Place } from "./drivers/driver.ts";

export interface Supervisor {
  ready(tenantId: string): Promise<void>;
  stop(): Promise<void>;
}
export function startSupervisor(_ctx: Context, _options: Place & { wake: Wake }): Supervisor {
  throw new Error("in the making");
}

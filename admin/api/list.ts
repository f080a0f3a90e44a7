/** Every endpoint of the API: one line for each area. */
import type { Context } from "../../core/context.ts";
import type { Wake } from "../../core/wake.ts";
import type { Endpoint } from "./endpoint.ts";
import { eventEndpoints } from "./events.ts";
import { type LiveHub, openLive } from "./live.ts";
import { templateEndpoints } from "./templates.ts";

/** What the areas need beside the context. */
export interface ApiDeps {
  wake: Wake;
  live: LiveHub;
  /** Element Web is served now. */
  elementServed(): boolean;
}

export function allEndpoints(ctx: Context, given: Omit<ApiDeps, "live">): Endpoint[] {
  const deps: ApiDeps = { ...given, live: openLive(ctx, given.wake) };
  return [...eventEndpoints(ctx, deps), ...templateEndpoints(ctx)];
}

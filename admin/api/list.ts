/** Every endpoint of the API: one line for each area. */
import type { Context } from "../../core/context.ts";
import type { Wake } from "../../core/wake.ts";
import { accountEndpoints } from "./account.ts";
import { agentEndpoints } from "./agents.ts";
import { approvalEndpoints } from "./approvals.ts";
import { auditEndpoints } from "./audit.ts";
import { clientEndpoints } from "./clients.ts";
import type { Endpoint } from "./endpoint.ts";
import { eventEndpoints } from "./events.ts";
import { fileEndpoints } from "./files.ts";
import { formEndpoints } from "./forms.ts";
import { homeEndpoints } from "./home.ts";
import { homeserverEndpoints } from "./homeservers.ts";
import { inviteEndpoints } from "./invites.ts";
import { type LiveHub, openLive } from "./live.ts";
import { modelEndpoints } from "./models.ts";
import { operatorEndpoints } from "./operators.ts";
import { peopleEndpoints } from "./people.ts";
import { roomEndpoints } from "./rooms.ts";
import { runEndpoints } from "./runs.ts";
import { scheduleEndpoints } from "./schedules.ts";
import { sessionEndpoints } from "./session.ts";
import { teamEndpoints } from "./teams.ts";
import { templateEndpoints } from "./templates.ts";
import { tokenEndpoints } from "./tokens.ts";
import { toolSettingEndpoints } from "./tool-settings.ts";
import { toolEndpoints } from "./tools.ts";
import { tryEndpoints } from "./try.ts";
import { usageEndpoints } from "./usage.ts";

/** What the areas need beside the context. */
export interface ApiDeps {
  wake: Wake;
  live: LiveHub;
  /** Element Web is served now. */
  elementServed(): boolean;
}

export function allEndpoints(ctx: Context, given: Omit<ApiDeps, "live">): Endpoint[] {
  const deps: ApiDeps = { ...given, live: openLive(ctx, given.wake) };
  return [
    ...eventEndpoints(ctx, deps),
    ...sessionEndpoints(ctx),
    ...accountEndpoints(ctx),
    ...tokenEndpoints(ctx),
    ...operatorEndpoints(ctx),
    ...auditEndpoints(ctx),
    ...clientEndpoints(ctx, deps),
    ...homeserverEndpoints(ctx),
    ...modelEndpoints(ctx),
    ...templateEndpoints(ctx),
    ...agentEndpoints(ctx),
    ...homeEndpoints(ctx, deps),
    ...teamEndpoints(ctx),
    ...roomEndpoints(ctx),
    ...peopleEndpoints(ctx),
    ...inviteEndpoints(ctx),
    ...tryEndpoints(ctx, deps),
    ...runEndpoints(ctx),
    ...approvalEndpoints(ctx),
    ...scheduleEndpoints(ctx),
    ...toolEndpoints(ctx),
    ...toolSettingEndpoints(ctx),
    ...fileEndpoints(ctx),
    ...formEndpoints(ctx),
    ...usageEndpoints(ctx),
  ];
}

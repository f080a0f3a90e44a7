import { afterAll, beforeAll, beforeEach } from "vitest";
import { type AgentFacts, type Platform, type PlatformOptions, startPlatform } from "./platform.ts";

/** A platform that the tests of one file share; each makes rooms of its own. */
export interface Shared {
  platform: Platform;
  /** The demo tenant's agents, as `agent list` gives them. */
  agents: AgentFacts[];
}

/** Starts it before the file's tests and ends it after them, its logs kept when one of them failed. */
export function sharedPlatform(options: PlatformOptions): Shared {
  const shared = {} as Shared;
  const seen = { failed: false };
  beforeAll(async () => {
    shared.platform = await startPlatform(options);
    seen.failed = true; // until the set-up is through
    shared.agents = await shared.platform.agents();
    seen.failed = false;
  });
  beforeEach(({ task, onTestFinished }) => {
    onTestFinished(() => {
      seen.failed ||= task.result?.state === "fail";
    });
  });
  afterAll(async () => {
    await shared.platform?.end(seen.failed);
  });
  return shared;
}

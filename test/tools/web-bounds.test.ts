/** Boundaries by path hold where an address leads to, too. */
import { expect, test } from "vitest";
import type { AgentTools } from "../../migrations/types.ts";
import { serve } from "../bots/tool-call.ts";
import { world } from "./world.ts";

/** A site whose `/docs/go?to=…` redirects; what the agent was told, and what the site was asked for. */
async function fetched(bounds: (site: string) => AgentTools[string], path: string) {
  const site = await serve((request, response) => {
    const to = /^\/docs\/go\?to=(.+)$/.exec(request.url ?? "")?.[1];
    if (to) response.writeHead(302, { location: to }).end();
    else response.writeHead(200, { "content-type": "text/plain" }).end(`the text of ${request.url}`);
  });
  const w = await world({ web: { policy: "allowed", ...bounds(site.host) } });
  w.ctx.config.allowHosts.push(site.host);
  await w.say(`[[call web_fetch ${JSON.stringify({ url: site.url + path })}]] [[results]] #a`);
  await w.work();
  return { site, text: (await w.calls())[0]?.result, seen: site.seen.map(({ url }) => url) };
}

test.each([
  ["excluded", (host: string) => ({ refuse: [`${host}/admin`] })],
  ["not among what is allowed", (host: string) => ({ allow: [`http://${host}/docs`] })],
])("a redirect to a path that is %s is told instead of followed", async (_what, bounds) => {
  const { site, text, seen } = await fetched(bounds, "/docs/go?to=/admin");
  expect(text).toContain(`redirects to ${site.url}/admin, which is another place`);
  expect(seen).toEqual(["/docs/go?to=/admin"]);
});

test.each([
  ["within them", (host: string) => ({ allow: [`http://${host}/docs`] }), "/docs/new"],
  ["of an agent without any", () => ({}), "/admin"],
])("a redirect %s is followed", async (_what, bounds, to) => {
  expect((await fetched(bounds, `/docs/go?to=${to}`)).text).toContain(`the text of ${to}`);
});

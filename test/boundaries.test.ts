import { expect, test } from "vitest";
import { boundaryBreaches } from "./boundaries.ts";

const cases: [name: string, file: string, text: string, breaches: string[]][] = [
  ["core may not know bots", "core/a.ts", 'import { route } from "../bots/route.ts";', ["imports bots/route.ts"]],
  ["bots may use homeserver", "bots/a.ts", 'import { sendEvent } from "../homeserver/matrix.ts";', []],
  ["homeserver may not use bots", "homeserver/a/b.ts", 'export * from "../../bots/b.ts";', ["imports bots/b.ts"]],
  ["a dynamic import counts", "core/a.ts", 'await import("../admin/http.ts")', ["imports admin/http.ts"]],
  ["anyone may use the tables", "core/a.ts", 'import * as schema from "../migrations/schema.ts";', []],
  [
    "nothing of ours imports a test",
    "admin/a.ts",
    'import { x } from "../test/harness/x.ts";',
    ["imports test/harness/x.ts"],
  ],
  ["tests may use everything", "admin/a.test.ts", 'import { x } from "../test/harness/x.ts";', []],
  ["the environment has one reader", "bots/a.ts", "const a = process.env.A;", ["reads process.env"]],
  ["and it may", "core/config.ts", "const a = process.env.A;", []],
  [
    "the time comes from the clock",
    "bots/a.ts",
    "const now = Date.now();\nnew Date()",
    ["reads the time", "reads the time"],
  ],
  ["dates may be made of times", "bots/a.ts", "const day = new Date(ctx.clock.now());", []],
  ["bare fetch", "bots/a.ts", "await fetch(url)", ["fetches an address"]],
  ["a method of that name is none", "bots/a.ts", "await guard.fetch(url)", []],
  ["comments may name what is banned", "bots/a.ts", "// never fetch() here", []],
  ["the panel takes the server's types", "admin/web/a.tsx", 'import type { Me } from "../rights.ts";', []],
  [
    "and nothing else of it",
    "admin/web/pages/a.tsx",
    'import { b } from "../api.ts";\nimport {\n  roleMay,\n} from "../../rights.ts";',
    ["builds admin/rights.ts into the panel"],
  ],
  ["the panel has the browser's clock", "admin/web/a.tsx", "Date.now()", []],
  ["but one way to the API", "admin/web/a.tsx", "await fetch(url)", ["fetches an address"]],
  ["no silent catch", "bots/a.ts", "work().catch(() => undefined)", ["swallows an error"]],
];

test.each(cases)("%s", (_name, file, text, breaches) => {
  expect(boundaryBreaches(file, text).map((breach) => breach.what)).toEqual(breaches);
});

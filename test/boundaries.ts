/** The boundaries of the house as rules over one file's text; pure, so that they have a table of cases. */
import path from "node:path";

export interface Breach {
  file: string;
  line: number;
  what: string;
  reason: string;
}

/** Imports run from right to left only. What stands in `migrations/` may be imported by anyone. */
const HOUSE = ["core", "homeserver", "element-config", "bots", "bridges", "admin", "main.ts"];
const FOR_ALL = [
  "migrations/panel-tables.ts",
  "migrations/schema.ts",
  "migrations/tool-tables.ts",
  "migrations/types.ts",
];

interface Ban {
  pattern: RegExp;
  what: string;
  reason: string;
  /** Files that may. */
  allowed: (file: string) => boolean;
}

const isTest = (file: string) => file.startsWith("test/") || file.endsWith(".test.ts") || file === "vitest.config.ts";

const BANS: Ban[] = [
  {
    pattern: /\bprocess\.env\b/,
    what: "reads process.env",
    reason: "Only core/config.ts reads the environment, so that one file says what can be set and what it means.",
    allowed: (file) => file === "core/config.ts" || file === "setup.mjs" || isTest(file),
  },
  {
    pattern: /\bDate\.now\(|\bnew Date\(\)/,
    what: "reads the time",
    reason: "Only core/clock.ts reads it: take ctx.clock, so that tests can hold the time still.",
    // A browser has its own clock, and no context.
    allowed: (file) =>
      file === "core/clock.ts" || file === "setup.mjs" || file.startsWith("admin/web/") || isTest(file),
  },
  {
    pattern: /(?<![\w.])fetch\(/,
    what: "fetches an address",
    reason:
      "Addresses that people type go through core/guard.ts (no loopback, private or metadata addresses). A file that only ever fetches addresses of our own or the operator's is listed in test/boundaries.ts.",
    allowed: (file) => FETCHERS.includes(file) || isTest(file),
  },
  {
    pattern: /\bvi\.(mock|doMock)\(/,
    what: "mocks a module",
    reason: "Tests use fakes that work (test/harness), so that what passes here works in front of people too.",
    allowed: () => false,
  },
  {
    pattern: /@ts-(ignore|nocheck)|\bas any\b/,
    what: "switches the type check off",
    reason: "Say what the type is; where a library's types are wrong, narrow `unknown` at that one place.",
    allowed: () => false,
  },
  {
    pattern: /\bcatch\s*(\(\w+\))?\s*\{\s*\}|\.catch\(\(\)\s*=>\s*(undefined|\{\s*\}|null)\)/,
    what: "swallows an error",
    reason: "An error is handled, logged or thrown on; if it means nothing, say so in a comment inside the block.",
    allowed: () => false,
  },
];

/** They fetch only addresses that we or the operator set. */
const FETCHERS = [
  "core/guard.ts",
  "setup.mjs",
  "element-config/release.ts",
  "admin/join/script.ts",
  "admin/web/api.ts",
];

/** Every breach in one file. `file` is its path from the root, with slashes. */
export function boundaryBreaches(file: string, text: string): Breach[] {
  if (file === "test/boundaries.ts" || file === "test/boundaries.test.ts") return [];
  const lines = text.split("\n");
  const bans = lines.flatMap((line, index) =>
    BANS.filter((ban) => !ban.allowed(file) && !isComment(line) && ban.pattern.test(line)).map((ban) => ({
      file,
      line: index + 1,
      what: ban.what,
      reason: ban.reason,
    })),
  );
  return [...bans, ...importBreaches(file, text), ...panelBreaches(file, text)];
}

const PANEL = "admin/web/";
const PANEL_REASON =
  "The panel has no way around the API: from outside of admin/web/ it takes types only (`import type`), which are gone in the browser.";

/** Code of the server would be built into the browser's. */
function panelBreaches(file: string, text: string): Breach[] {
  if (!file.startsWith(PANEL)) return [];
  const breaches: Breach[] = [];
  for (const match of text.matchAll(/^(?:import|export)(?!\s+type\b)\s[^;"]*"(\.[^"]+)"/gm)) {
    const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), match[1] ?? ""));
    if (target.startsWith(PANEL)) continue;
    const line = text.slice(0, match.index).split("\n").length;
    breaches.push({ file, line, what: `builds ${target} into the panel`, reason: PANEL_REASON });
  }
  return breaches;
}

const isComment = (line: string) => /^\s*(\*|\/\/|\/\*)/.test(line) && !/@ts-/.test(line);

function importBreaches(file: string, text: string): Breach[] {
  if (isTest(file) || file === "drizzle.config.ts") return [];
  const from = HOUSE.indexOf(room(file));
  if (from < 0) return [];
  const breaches: Breach[] = [];
  for (const match of text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g)) {
    const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), match[1] ?? ""));
    const to = HOUSE.indexOf(room(target));
    if (FOR_ALL.includes(target) || (to >= 0 && to <= from)) continue;
    const line = text.slice(0, match.index).split("\n").length;
    breaches.push({ file, line, what: `imports ${target}`, reason: DIRECTION });
  }
  return breaches;
}

const DIRECTION = `Imports run one way, ${HOUSE.join(" ← ")}: what would run against it goes through a port that main.ts fills.`;

/** The part of the house that a file stands in: its first folder, or itself at the root. */
const room = (file: string) => file.split("/")[0] ?? file;

/** Reads a list of people from a CSV file and says of each row what will become of it. Pure. */
import { parse } from "csv-parse/sync";
import { AppError } from "../core/errors.ts";
import { usernameProblem } from "../homeserver/accounts.ts";
import type { TenantRole } from "../migrations/types.ts";

const MOST_ROWS = 2000;
export const MOST_BYTES = 1_000_000;

export interface CsvPerson {
  /** In the file, from 1. */
  line: number;
  username: string;
  name: string | null;
  role: string | null;
  team: string | null;
}

type Column = Exclude<keyof CsvPerson, "line">;

/** Letters and digits of a header → the column it stands for. */
const HEADERS = new Map<string, Column>(
  Object.entries({
    username: "username",
    user: "username",
    userid: "username",
    login: "username",
    localpart: "username",
    matrixid: "username",
    mxid: "username",
    benutzername: "username",
    name: "name",
    displayname: "name",
    fullname: "name",
    role: "role",
    rolle: "role",
    team: "team",
    space: "team",
  }),
);

/** Throws `invalid` for a file that is too large, is no CSV, or has no user names. Empty rows are left out. */
export function readPeopleCsv(csv: string): CsvPerson[] {
  if (Buffer.byteLength(csv) > MOST_BYTES) throw bad("This file is larger than 1 MB. Split it into several.");
  const [header, ...rows] = records(csv);
  if (!header) throw bad("This file is empty. It needs a first line with the columns, and a line for each person.");
  const columns = header.cells.map((cell) => HEADERS.get(cell.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "")));
  if (!columns.includes("username"))
    throw bad(
      'The first line names the columns, and one of them must be "username". Others may be name, role and team.',
    );
  if (rows.length === 0) throw bad("There is nobody in this file: it has only the line with the columns.");
  if (rows.length > MOST_ROWS)
    throw bad(`This file has ${rows.length} people. At most ${MOST_ROWS} are taken at once: split it.`);
  return rows.map(({ line, cells }) => {
    const cell = (column: Column) => cells[columns.indexOf(column)]?.normalize("NFC").trim() || null;
    return { line, username: cell("username") ?? "", name: cell("name"), role: cell("role"), team: cell("team") };
  });
}

function records(csv: string): { line: number; cells: string[] }[] {
  const text = csv.replace(/^\ufeff/, "");
  const first = text.split(/\r?\n/, 1)[0] ?? "";
  const count = (sign: string) => first.split(sign).length;
  const delimiter = [",", ";", "\t"].toSorted((a, b) => count(b) - count(a))[0] ?? ",";
  try {
    const found = parse(text, { delimiter, info: true, relax_column_count: true, skip_empty_lines: true, trim: true });
    return (found as unknown as { record: string[]; info: { lines: number } }[])
      .map(({ record, info }) => ({ line: info.lines, cells: record }))
      .filter(({ cells }) => cells.some((cell) => cell !== ""));
  } catch (cause) {
    const line = (cause as { lines?: number }).lines;
    const where = line === undefined ? "" : ` near line ${line}`;
    throw new AppError("invalid", `This is no CSV that can be read${where}. Look at the quotation marks there.`, {
      cause,
    });
  }
}

const bad = (sentence: string) => new AppError("invalid", sentence);

export interface Known {
  serverName: string;
  /** User names that have an account. */
  people: ReadonlySet<string>;
  /** User names for which a link is open. */
  invited: ReadonlySet<string>;
  /** User names that are an agent's. */
  agents: ReadonlySet<string>;
  /** Team ids by name in small letters. */
  teams: ReadonlyMap<string, string>;
  /** For rows that say nothing. */
  defaults: { role: TenantRole; teamId: string | null };
  /** Links that are open are withdrawn and made anew. */
  renew: boolean;
  /** Why whoever imports may not give this role; null when they may. */
  givingProblem(role: TenantRole): string | null;
}

export interface PlannedPerson {
  line: number;
  username: string;
  name: string | null;
  role: TenantRole | null;
  team: string | null;
  teamId: string | null;
  /** `invite`: a link is made. `exists`: nothing to do. `problem`: left out, the sentence says why. */
  outcome: "invite" | "exists" | "problem";
  sentence: string;
}

/** By name; no object, whose "constructor" somebody may write into a file. */
const ROLES = new Map((["owner", "manager", "member", "auditor"] as const).map((role) => [role as string, role]));

/** What will become of each row. */
export function planPeople(rows: readonly CsvPerson[], known: Known): PlannedPerson[] {
  const seen = new Map<string, number>();
  return rows.map((row) => {
    const username = plainName(row.username, known.serverName);
    const role = row.role === null ? known.defaults.role : (ROLES.get(row.role.toLowerCase()) ?? null);
    const teamId = row.team === null ? known.defaults.teamId : (known.teams.get(row.team.toLowerCase()) ?? null);
    const before = seen.get(username);
    seen.set(username, before ?? row.line);
    const problem =
      before === undefined
        ? rowProblem({ ...row, username }, { role, teamId }, known)
        : `${username} stands in line ${before} already.`;
    const planned = { line: row.line, username, name: row.name, role, team: row.team, teamId };
    if (problem) return { ...planned, outcome: "problem", sentence: problem };
    return { ...planned, ...outcomeOf(username, known) };
  });
}

function outcomeOf(username: string, known: Known): Pick<PlannedPerson, "outcome" | "sentence"> {
  if (known.people.has(username)) return { outcome: "exists", sentence: "Has an account already: nothing is done." };
  if (!known.invited.has(username)) return { outcome: "invite", sentence: "Gets an invite link." };
  return known.renew
    ? { outcome: "invite", sentence: "Gets a new invite link; the one before is withdrawn." }
    : { outcome: "exists", sentence: "Has an open invite link already: nothing is done." };
}

/** People write "@ann:server" and "Ann" too. */
export function plainName(typed: string, serverName: string): string {
  const end = `:${serverName}`;
  const name = typed.toLowerCase();
  return (name.endsWith(end) ? name.slice(0, -end.length) : name).replace(/^@/, "");
}

function rowProblem(
  row: CsvPerson,
  { role, teamId }: { role: TenantRole | null; teamId: string | null },
  known: Known,
): string | null {
  const name = usernameProblem(row.username, known.serverName);
  if (name) return row.username === "" ? "There is no user name in this line." : name;
  if (known.agents.has(row.username)) return "An agent here is called so. Choose another user name.";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what Postgres and Matrix do not take
  if (row.name && /[\u0000-\u001f]|\p{Surrogate}/u.test(row.name))
    return "The name has characters that cannot be stored.";
  if (row.name && row.name.length > 200) return "The name is too long: 200 characters are the most.";
  if (role === null) return "There is no such role. It is one of owner, manager, member, auditor.";
  if (row.team !== null && teamId === null) return "There is no such team. Make it first, or leave the column empty.";
  return known.givingProblem(role);
}

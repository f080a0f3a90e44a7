import type { Command } from "commander";
import type { Context } from "../../core/context.ts";
import { type CliIo, examples } from "./arguments.ts";
import { printJson, printTable } from "./io.ts";

interface TeamFacts {
  name: string;
  /** Room id of its space; null while it is being made. */
  space: string | null;
  rooms: { name: string; id: string }[];
}

export function addTeamCommands(program: Command, io: CliIo): void {
  const team = program
    .command("team")
    .description("teams, each a space with rooms")
    .addHelpText("after", examples(["team create acme Sales --room general --room deals"]));
  team
    .command("create <client> <name>")
    .description("make a team, or add rooms to one")
    .option("--room <name>", "a room of it; may be given again (default: general)", collect)
    .option("--json", "print JSON")
    .addHelpText("after", examples(["team create acme Sales --room general --room deals"]))
    .action((client: string, name: string, options: { room?: string[]; json?: boolean }) =>
      create(io, client, name, options),
    );
  team
    .command("list <client>")
    .description("a client's teams and their rooms")
    .option("--json", "print JSON")
    .addHelpText("after", examples(["team list demo"]))
    .action((client: string, options: { json?: boolean }) => list(io, client, options));
}

const collect = (value: string, before: string[] = []) => [...before, value];

async function create(
  io: CliIo,
  tenantId: string,
  name: string,
  { room = ["general"], json }: { room?: string[]; json?: boolean },
): Promise<void> {
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const { getTenant } = await import("../../homeserver/tenants.ts");
    const { createTeam } = await import("../../homeserver/rooms.ts");
    await getTenant(ctx, tenantId);
    const made = await createTeam(ctx, { tenantId, name, channels: room });
    const facts = (await teamsOf(ctx, tenantId)).find((one) => one.name === made.name);
    if (json) return printJson(io, facts);
    io.out(`${made.name} has the rooms ${facts?.rooms.map((one) => one.name).join(", ")}.`);
    io.out(`\`invite create ${tenantId} --team "${made.name}"\` lets people in.`);
  });
}

async function list(io: CliIo, tenantId: string, { json }: { json?: boolean }): Promise<void> {
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const { getTenant } = await import("../../homeserver/tenants.ts");
    await getTenant(ctx, tenantId);
    const all = await teamsOf(ctx, tenantId);
    if (json) return printJson(io, all);
    const rows = all.map((team) => [team.name, team.rooms.map((room) => room.name).join(", ")]);
    printTable(io, ["TEAM", "ROOMS"], rows, `${tenantId} has no teams. \`team create\` makes one.`);
  });
}

async function teamsOf(ctx: Context, tenantId: string): Promise<TeamFacts[]> {
  const { asc, eq } = await import("drizzle-orm");
  const { rooms, teams } = await import("../../migrations/schema.ts");
  const found = await ctx.db.select().from(teams).where(eq(teams.tenantId, tenantId)).orderBy(asc(teams.createdAt));
  const channels = await ctx.db.select().from(rooms).where(eq(rooms.tenantId, tenantId)).orderBy(asc(rooms.createdAt));
  return found.map((team) => ({
    name: team.name,
    space: team.spaceRoomId,
    rooms: channels
      .filter((room) => room.teamId === team.id && room.kind === "channel")
      .map((room) => ({ name: room.channel ?? room.roomId, id: room.roomId })),
  }));
}

import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import type { agents } from "../../migrations/schema.ts";
import type { AgentDefinition } from "../../migrations/types.ts";
import { type CliIo, examples } from "./arguments.ts";
import { printJson, printTable } from "./io.ts";

type AgentRow = typeof agents.$inferSelect;

/** One agent in `--json` output. */
interface AgentFacts {
  name: string;
  userId: string;
  state: string;
  /** Name of the model that answers for it; null while there is none. */
  model: string | null;
  description: string;
}

interface CreateOptions {
  name?: string;
  instructions?: string;
  instructionsFile?: string;
  description?: string;
  model?: string;
  template?: string;
  scope?: string;
  team?: string;
  room?: string[];
  json?: boolean;
}

export function addAgentCommands(program: Command, io: CliIo): void {
  const agent = program
    .command("agent")
    .description("agents, the members that answer")
    .addHelpText("after", examples(["agent list demo"]));
  agent
    .command("create <client>")
    .description("make an agent; people find it by its name in Element")
    .option("--name <name>", "what people call it")
    .option("--instructions <text>", "what it is told to do and how")
    .option("--instructions-file <file>", "the same, from a file")
    .option("--description <text>", "what it is for, in a line")
    .option("--template <name>", "begin with one of the templates that come with Agentopia")
    .option("--model <name>", "a model of `model list` (default: the client's or yours)")
    .option("--scope <scope>", "observer, member or moderator")
    .option("--team <name>", "invite it into all rooms of this team")
    .option("--room <name>", "invite it into this room (name or id); may be given again", collect)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples([
        'agent create demo --name Writer --instructions "You write short, friendly texts." --team Marketing',
        "agent create demo --template planner --room general",
      ]),
    )
    .action((client: string, options: CreateOptions) => create(io, client, options));
  agent
    .command("list <client>")
    .description("a client's agents")
    .option("--json", "print JSON")
    .addHelpText("after", examples(["agent list demo"]))
    .action((client: string, options: { json?: boolean }) => list(io, client, options));
  const verbs = [
    ["pause", "let an agent answer nobody until it is resumed"],
    ["resume", "let a paused agent answer again"],
    ["remove", "take an agent out of its rooms for good; what it wrote stays"],
  ] as const;
  for (const [verb, description] of verbs)
    agent
      .command(`${verb} <client> <agent>`)
      .description(description)
      .option("--json", "print JSON")
      .addHelpText("after", examples([`agent ${verb} demo Writer`]))
      .action((client: string, name: string, options: { json?: boolean }) => change(io, verb, client, name, options));
}

const collect = (value: string, before: string[] = []) => [...before, value];

async function create(io: CliIo, tenantId: string, options: CreateOptions): Promise<void> {
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const { getTenant } = await import("../../homeserver/tenants.ts");
    const { createAgent } = await import("../../bots/agents.ts");
    await getTenant(ctx, tenantId);
    const definition = await define(options);
    const rooms = await roomsFor(ctx, tenantId, options);
    if (definition.model) await (await import("../../bots/models.ts")).resolveModel(ctx, tenantId, definition.model);
    const row = await createAgent(ctx, {
      tenantId,
      definition,
      ...(options.template ? { templateId: options.template } : {}),
    });
    const { inviteAgentToRoom } = await import("../../homeserver/rooms.ts");
    for (const roomId of rooms) await inviteAgentToRoom(ctx, { tenantId, roomId, userId: row.userId });
    const facts = await factsOf(ctx, row);
    if (options.json) return printJson(io, facts);
    io.out(`${facts.name} is ${facts.userId}. ${modelSentence(facts)}`);
  });
}

const modelSentence = ({ model }: AgentFacts) =>
  model ? `${model} answers for it.` : "No model is set yet: `model add --help` says how.";

async function define(options: CreateOptions): Promise<AgentDefinition> {
  const template = options.template ? await templateNamed(options.template) : undefined;
  const name = options.name ?? template?.name;
  const instructions = instructionsOf(options) ?? template?.instructions;
  if (!name?.trim()) throw new AppError("invalid", "Give the agent a name with --name, or begin with a --template.");
  if (!instructions?.trim())
    throw new AppError("invalid", "Say what the agent does with --instructions, or begin with a --template.");
  const scope = options.scope ?? template?.scope ?? "member";
  if (scope !== "observer" && scope !== "member" && scope !== "moderator")
    throw new AppError("invalid", `There is no scope "${scope}". Choose observer, member or moderator.`);
  return {
    name: name.trim(),
    instructions,
    description: options.description ?? template?.description ?? "",
    model: options.model ?? template?.model ?? null,
    whoMayInvite: template?.whoMayInvite ?? "anyone",
    scope,
    ...(template?.variables ? { variables: template.variables } : {}),
  };
}

async function templateNamed(id: string): Promise<AgentDefinition> {
  const { listTemplates } = await import("../../bots/templates.ts");
  const all = listTemplates();
  const found = all.find((template) => template.id === id.toLowerCase());
  if (found) return found.definition;
  throw new AppError(
    "not_found",
    `There is no template "${id}". Choose one of ${all.map((one) => one.id).join(", ")}.`,
  );
}

function instructionsOf({ instructions, instructionsFile }: CreateOptions): string | undefined {
  if (instructions !== undefined || instructionsFile === undefined) return instructions;
  try {
    return readFileSync(instructionsFile, "utf8");
  } catch (cause) {
    throw new AppError("invalid", `The file ${instructionsFile} cannot be read.`, { cause });
  }
}

async function roomsFor(ctx: Context, tenantId: string, { team, room = [] }: CreateOptions): Promise<string[]> {
  if (!team && room.length === 0) return [];
  const found = await ctx.sql<{ id: string; channel: string; team: string | null }[]>`
    select r.room_id as id, r.channel, t.name as team from rooms r left join teams t on t.id = r.team_id
    where r.tenant_id = ${tenantId} and r.kind = 'channel'`;
  const same = (a: string | null, b: string) => a?.toLowerCase() === b.toLowerCase();
  const ofTeam = team ? found.filter((one) => same(one.team, team)) : [];
  if (team && ofTeam.length === 0) throw new AppError("not_found", `${tenantId} has no team "${team}" with rooms.`);
  const named = room.map((wanted) => {
    const matches = found.filter((one) => one.id === wanted || same(one.channel, wanted));
    if (matches.length === 1) return matches[0]!;
    const why = matches.length === 0 ? `has no room "${wanted}"` : `has several rooms "${wanted}": give the room's id`;
    throw new AppError("not_found", `${tenantId} ${why}.`);
  });
  return [...new Set([...ofTeam, ...named].map(({ id }) => id))];
}

async function list(io: CliIo, tenantId: string, { json }: { json?: boolean }): Promise<void> {
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const { getTenant } = await import("../../homeserver/tenants.ts");
    const { listAgents } = await import("../../bots/agents.ts");
    await getTenant(ctx, tenantId);
    const all = await Promise.all((await listAgents(ctx, tenantId)).map((row) => factsOf(ctx, row)));
    if (json) return printJson(io, all);
    const rows = all.map((one) => [one.name, one.state, one.model, one.userId, one.description]);
    printTable(
      io,
      ["NAME", "STATE", "MODEL", "USER", "FOR"],
      rows,
      `${tenantId} has no agents. \`agent create\` makes one.`,
    );
  });
}

async function change(
  io: CliIo,
  verb: "pause" | "resume" | "remove",
  tenantId: string,
  name: string,
  { json }: { json?: boolean },
): Promise<void> {
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const { getTenant } = await import("../../homeserver/tenants.ts");
    const { getAgent, removeAgent, setAgentState } = await import("../../bots/agents.ts");
    await getTenant(ctx, tenantId);
    const agent = await getAgent(ctx, tenantId, name);
    if (verb === "remove") await removeAgent(ctx, agent.id);
    else await setAgentState(ctx, agent.id, verb === "pause" ? "paused" : "active");
    const state = { pause: "paused", resume: "active", remove: "removed" }[verb];
    if (json) return printJson(io, { ...(await factsOf(ctx, agent)), state });
    io.out(`${agent.name} is ${state} now.`);
  });
}

async function factsOf(ctx: Context, row: AgentRow): Promise<AgentFacts> {
  const { name, userId, state, definition } = row;
  return { name, userId, state, model: await modelOf(ctx, row), description: definition.description };
}

/** The model that would answer now, be it the agent's own, the client's or the operator's. */
async function modelOf(ctx: Context, row: AgentRow): Promise<string | null> {
  const { resolveModel } = await import("../../bots/models.ts");
  try {
    return (await resolveModel(ctx, row.tenantId, row.definition.model)).name;
  } catch (error) {
    if (error instanceof AppError && error.code === "no_model") return row.definition.model;
    throw error;
  }
}

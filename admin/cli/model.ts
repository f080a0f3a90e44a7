import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { Provider, ShownModel } from "../../bots/models.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { type CliIo, examples, wholeNumber } from "./arguments.ts";
import { printJson, printTable } from "./io.ts";

interface AddOptions {
  client?: string;
  provider?: Provider;
  url?: string;
  model?: string;
  key?: string;
  keyStdin?: boolean;
  default?: boolean;
  context?: number;
  json?: boolean;
}

const PROVIDERS: Provider[] = ["openai-compatible", "openai", "anthropic", "google"];

export function addModelCommands(program: Command, io: CliIo): void {
  const model = program
    .command("model")
    .description("models that answer for agents")
    .addHelpText("after", examples(["model list"]));
  model
    .command("add <name>")
    .description("add a model under a name of yours")
    .option("--client <name>", "for this client only (default: for all)")
    .option("--url <address>", "of an OpenAI-compatible server, such as http://127.0.0.1:11434/v1")
    .option("--provider <provider>", PROVIDERS.join(", "), provider)
    .option("--model <name>", "the server's name for it (default: the first that it lists)")
    .option("--key <key>", "its API key; --key-stdin keeps it out of your shell's history")
    .option("--key-stdin", "read the key from standard input")
    .option("--context <tokens>", "how much it can read at once", wholeNumber)
    .option("--default", "answer with it wherever no other model is named")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples([
        "model add local --url http://127.0.0.1:11434/v1 --model qwen3",
        "model add claude --provider anthropic --model claude-sonnet-4-5 --key-stdin --default < key.txt",
      ]),
    )
    .action((name: string, options: AddOptions) => add(io, name, options));
  model
    .command("list")
    .description("all models; keys are never shown")
    .option("--client <name>", "those that this client's agents can use")
    .option("--json", "print JSON")
    .addHelpText("after", examples(["model list", "model list --client demo --json"]))
    .action((options: { client?: string; json?: boolean }) => list(io, options));
  model
    .command("remove <name>")
    .description("remove a model that was added")
    .option("--client <name>", "this client's own")
    .option("--json", "print JSON")
    .addHelpText("after", examples(["model remove local"]))
    .action((name: string, options: { client?: string; json?: boolean }) => remove(io, name, options));
  model
    .command("test [name]")
    .description("ask a model for one word (default: the default model)")
    .option("--client <name>", "as an agent of this client")
    .option("--json", "print JSON")
    .addHelpText("after", examples(["model test", "model test local"]))
    .action((name: string | undefined, options: { client?: string; json?: boolean }) =>
      test(io, name ?? null, options),
    );
}

async function remove(io: CliIo, name: string, { client, json }: { client?: string; json?: boolean }): Promise<void> {
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const { removeModel } = await import("../../bots/models.ts");
    await removeModel(ctx, await tenantOf(ctx, client), name);
    if (json) return printJson(io, { name, client: client ?? null });
    io.out(`${name} is removed.`);
  });
}

function provider(text: string): Provider {
  const found = PROVIDERS.find((known) => known === text);
  if (found) return found;
  throw new InvalidArgumentError(`Choose one of ${PROVIDERS.join(", ")}.`);
}

async function add(io: CliIo, name: string, options: AddOptions): Promise<void> {
  if (options.key && options.keyStdin) throw new AppError("invalid", "Give the key once: --key or --key-stdin.");
  const apiKey = options.keyStdin ? (await io.ask("API key: ")).trim() : options.key;
  if (options.keyStdin && !apiKey) throw new AppError("invalid", "There was no key on standard input.");
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const tenantId = await tenantOf(ctx, options.client);
    const { addModel } = await import("../../bots/models.ts");
    const added = await addModel(ctx, {
      tenantId,
      name,
      provider: options.provider,
      baseUrl: options.url,
      model: options.model,
      apiKey,
      isDefault: options.default,
      abilities: options.context ? { contextWindow: options.context } : undefined,
    });
    if (options.json) return printJson(io, facts(added));
    io.out(`${added.name} is added${added.isDefault ? " and answers wherever no other model is named" : ""}.`);
    io.out(`\`model test ${added.name}\` asks it for a word.`);
  });
}

async function list(io: CliIo, { client, json }: { client?: string; json?: boolean }): Promise<void> {
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const { listModels } = await import("../../bots/models.ts");
    const tenantId = await tenantOf(ctx, client);
    const all = (await listModels(ctx, client === undefined ? undefined : tenantId)).map(facts);
    if (json) return printJson(io, all);
    const rows = all.map((one) => [
      one.name,
      one.isDefault ? "default" : "",
      one.provider,
      one.model,
      one.client ?? "all",
      one.hasKey ? "yes" : "no",
      one.url,
      one.source,
    ]);
    const headings = ["NAME", "", "PROVIDER", "MODEL", "CLIENT", "KEY", "ADDRESS", "FROM"];
    printTable(io, headings, rows, "No model is set. `model add --help` says how to add one.");
  });
}

async function test(io: CliIo, name: string | null, { client, json }: { client?: string; json?: boolean }) {
  const { withPlatform } = await import("./connect.ts");
  await withPlatform(async (ctx) => {
    const { testModel } = await import("../../bots/models.ts");
    const result = await testModel(ctx, await tenantOf(ctx, client), name);
    const { text, firstTokenMs, durationMs, usage } = result;
    if (json) return printJson(io, { model: facts(result.model), text, firstTokenMs, durationMs, usage });
    const first = Math.round(firstTokenMs);
    io.out(`${result.model.name} answered after ${first} ms, was done after ${Math.round(durationMs)} ms, and said:`);
    io.out(text.trim());
  });
}

async function tenantOf(ctx: Context, client: string | undefined) {
  if (client === undefined) return null;
  const { getTenant } = await import("../../homeserver/tenants.ts");
  return (await getTenant(ctx, client)).id;
}

/** One model in `--json` output. `client` null: for all. */
function facts({ name, tenantId, provider, baseUrl, model, isDefault, source, hasKey, abilities }: ShownModel) {
  return { name, client: tenantId, provider, url: baseUrl, model, isDefault, source, hasKey, abilities };
}

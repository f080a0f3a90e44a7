/** A Synapse that someone runs already: we write what to add to it, tell where, and look whether it is done. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseAddress } from "../../core/addresses.ts";
import { ROOT } from "../../core/config.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { openTenantSecrets, type TenantRow } from "../access.ts";
import { policyModule, registrationFile } from "../synapse-config.ts";
import type { Driver, Place } from "./driver.ts";

export const externalDriver: Driver = {
  lookAgainMs: 5_000,

  async plan(_ctx, wish) {
    if (!wish.url || !URL.canParse(wish.url) || !/^https?:$/.test(new URL(wish.url).protocol))
      throw new AppError(
        "invalid",
        "The driver external needs --url with the homeserver's address, as https://matrix.example.org.",
      );
    if (!wish.serverName)
      throw new AppError(
        "invalid",
        "The driver external needs --server-name: what stands behind the colon in its user names.",
      );
    parseAddress(wish.url);
    return { homeserverUrl: wish.url.replace(/\/+$/, ""), config: {} };
  },

  async start(ctx, tenant, place) {
    const folder = writeInstructions(ctx, tenant, place);
    return {
      instance: "external",
      missed: "messages",
      exited: new Promise(() => undefined),
      tail: () => "",
      todo: `Add what ${path.join(folder, "README.txt")} says to the configuration of ${tenant.homeserverUrl} and restart it.`,
      stop: async () => undefined,
    };
  },

  async halt() {
    // It is not ours to end.
  },

  async remove(ctx, tenant, _place, backup) {
    const folder = folderOf(ctx, tenant.id);
    const registration = path.join(folder, "agentopia.yaml");
    if (backup && existsSync(registration)) {
      mkdirSync(path.dirname(backup), { recursive: true, mode: 0o700 });
      const { create } = await import("tar");
      await create({ file: backup, cwd: folder, mode: 0o600 }, ["."]);
    }
    rmSync(folder, { recursive: true, force: true });
  },
};

const folderOf = (ctx: Context, id: string) => path.join(ctx.config.home, "external", id);

/** What someone has to add to a homeserver of theirs: steps, and the files that they name. It holds secrets. */
export interface ExternalSetup {
  text: string;
  folder: string;
  files: { name: string; text: string }[];
}

/** `internalUrl`: where homeservers reach us. */
export function setupOf(ctx: Context, tenant: TenantRow, internalUrl: string): ExternalSetup {
  const folder = folderOf(ctx, tenant.id);
  const secrets = openTenantSecrets(ctx, tenant);
  const url = `${internalUrl}/as/${tenant.id}`;
  const registration = registrationFile({ serverName: tenant.serverName, url, secrets });
  // JSON is YAML: these lines go into homeserver.yaml as they are.
  const lines = [
    'app_service_config_files: ["/path/to/agentopia.yaml"]',
    `modules: ${JSON.stringify([policyModule(tenant.config)])}`,
    `registration_shared_secret: ${JSON.stringify(secrets.registrationSharedSecret)}`,
    "user_directory: {enabled: true, search_all_users: true}",
  ];
  return {
    text: instructions(folder, url),
    folder,
    files: [
      { name: "homeserver-additions.yaml", text: `${lines.join("\n")}\n` },
      { name: "agentopia.yaml", text: `${JSON.stringify(registration, undefined, 2)}\n` },
      { name: "agentopia_policy.py", text: readFileSync(POLICY, "utf8") },
    ],
  };
}

const POLICY = path.join(ROOT, "homeserver/policy/agentopia_policy.py");

function writeInstructions(ctx: Context, tenant: TenantRow, place: Place): string {
  const { folder, files, text } = setupOf(ctx, tenant, place.internalUrl);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const file of [...files, { name: "README.txt", text }])
    writeFileSync(path.join(folder, file.name), file.text, { mode: 0o600 });
  return folder;
}

const instructions = (
  folder: string,
  url: string,
) => `To connect this homeserver (Synapse 1.141 or newer) with Agentopia:

1. Copy agentopia.yaml and agentopia_policy.py from ${folder} to the machine of Synapse.
   Put agentopia_policy.py where its Python finds it (its site-packages, or a folder in PYTHONPATH).
2. Add the lines of homeserver-additions.yaml to homeserver.yaml, with the path of agentopia.yaml as it is there.
   Where app_service_config_files or modules exist already, add ours to the list.
   Where registration_shared_secret exists already, replace it, or keep both programs that use it on this one.
3. Make sure that Synapse reaches ${url.replace(/\/as\/.*/, "")}.
4. Restart Synapse. Agentopia notices by itself within a minute.

agentopia.yaml holds secrets: keep it as safe as the homeserver's own configuration.
`;

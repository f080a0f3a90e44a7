/** What is generated for a Synapse of a tenant's own. Pure; JSON is valid YAML. Names follow Synapse's configuration manual. */

import type { TenantConfig, TenantSecrets } from "../migrations/types.ts";
import { AGENT_PREFIX, ALIAS_PREFIX, APPSERVICE_ID, CONTROL_LOCALPART } from "./access.ts";

export interface SynapseInput {
  serverName: string;
  port: number;
  /** The tenant's folder: config, signing key, media. */
  folder: string;
  publicUrl: string;
  database: { host: string; port: string; name: string; user: string; password: string; sslmode?: string };
  secrets: TenantSecrets;
  config: TenantConfig;
}

interface Limit {
  per_second: number;
  burst_count: number;
}

/** The registration file (spec: Application Service API, "Registration"). */
export function registrationFile(input: { serverName: string; url: string; secrets: TenantSecrets }): object {
  const server = input.serverName.replaceAll(/[.\\+*?^$()[\]{}|]/g, "\\$&");
  return {
    id: APPSERVICE_ID,
    url: input.url,
    as_token: input.secrets.asToken,
    hs_token: input.secrets.hsToken,
    sender_localpart: CONTROL_LOCALPART,
    rate_limited: false,
    namespaces: {
      // Not exclusive: exclusive ones are left out of the user directory, and so of Element's invite box.
      users: [
        { exclusive: false, regex: `@${AGENT_PREFIX}.*:${server}` },
        { exclusive: false, regex: `@${CONTROL_LOCALPART}:${server}` },
      ],
      // By these the platform finds the rooms again that it made before a crash; nobody else makes such.
      aliases: [{ exclusive: true, regex: `#${ALIAS_PREFIX}.*:${server}` }],
      rooms: [],
    },
    receive_ephemeral: false,
    // Devices by PUT, no access tokens at registration.
    "io.element.msc4190": true,
  };
}

/** How the policy module is loaded. */
export function policyModule(config: Pick<TenantConfig, "readableRooms">): object {
  return {
    module: "agentopia_policy.AgentopiaPolicy",
    config: { agent_prefix: AGENT_PREFIX, control_bot: CONTROL_LOCALPART, readable_rooms: config.readableRooms },
  };
}

/** homeserver.yaml. Federation is closed: no listener for it, no server allowed, no key servers. */
export function synapseConfig(input: SynapseInput): object {
  const { folder, secrets, config, database } = input;
  return {
    server_name: input.serverName,
    public_baseurl: `${input.publicUrl}/`,
    serve_server_wellknown: false,
    extra_well_known_client_content: config.readableRooms ? { "io.element.e2ee": { default: false } } : {},
    report_stats: false,
    listeners: [
      {
        type: "http",
        port: input.port,
        bind_addresses: ["127.0.0.1"],
        tls: false,
        x_forwarded: true,
        resources: [{ names: ["client"], compress: false }],
      },
    ],
    log_config: `${folder}/log.yaml`,
    signing_key_path: `${folder}/signing.key`,
    media_store_path: `${folder}/media`,
    max_upload_size: "50M",
    url_preview_enabled: false,
    macaroon_secret_key: secrets.macaroonSecret,
    form_secret: secrets.formSecret,
    registration_shared_secret: secrets.registrationSharedSecret,
    enable_registration: false,
    allow_guest_access: false,
    app_service_config_files: [`${folder}/agentopia.yaml`, ...(config.extraAppservices ?? [])],
    modules: [policyModule(config)],
    database: {
      name: "psycopg2",
      args: {
        host: database.host,
        port: database.port,
        dbname: database.name,
        user: database.user,
        password: database.password,
        ...(database.sslmode ? { sslmode: database.sslmode } : {}),
        application_name: `synapse ${input.serverName}`,
        cp_min: 1,
        cp_max: 5,
      },
    },
    caches: { global_factor: 0.5 },
    event_cache_size: "3K",
    presence: { enabled: false },
    federation_domain_whitelist: [],
    trusted_key_servers: [],
    suppress_key_server_warning: true,
    allow_public_rooms_over_federation: false,
    enable_room_list_search: false,
    room_list_publication_rules: [{ user_id: "*", alias: "*", room_id: "*", action: "deny" }],
    user_directory: { enabled: true, search_all_users: true, prefer_local_users: true },
    encryption_enabled_by_default_for_room_type: "off",
    redaction_retention_period: "1d",
    user_ips_max_age: "7d",
    ...(config.rateLimits === "off" ? { bcrypt_rounds: 4, ...rateLimits(UNLIMITED) } : rateLimits()),
  };
}

const UNLIMITED: Limit = { per_second: 1e6, burst_count: 1e6 };

/** Chats with agents need more than Synapse's 0.2 messages a second, teams more than its 0.1 joins. */
function rateLimits(all?: Limit): Record<string, unknown> {
  const limit = (per_second: number, burst_count: number): Limit => all ?? { per_second, burst_count };
  return {
    rc_message: limit(5, 50),
    rc_registration: limit(1, 50),
    // People behind one address (an office, our own join page) sign in together; guessing is held by the account's limits.
    rc_login: { address: limit(1, 50), account: limit(0.2, 10), failed_attempts: limit(0.1, 5) },
    rc_joins: { local: limit(5, 50), remote: limit(0.1, 10) },
    rc_joins_per_room: limit(20, 100),
    rc_invites: { per_room: limit(2, 50), per_user: limit(1, 50), per_issuer: limit(2, 50) },
    rc_room_creation: limit(0.2, 20),
    rc_media_create: limit(10, 50),
    rc_user_directory: limit(5, 50),
    rc_profile: limit(1, 20),
  };
}

/** Warnings and errors to stderr, which the platform writes to the tenant's log file. */
export function logConfig(): object {
  return {
    version: 1,
    formatters: { line: { format: "%(asctime)s %(levelname)s %(name)s %(message)s" } },
    handlers: { console: { class: "logging.StreamHandler", formatter: "line" } },
    root: { level: "WARNING", handlers: ["console"] },
    disable_existing_loggers: false,
  };
}

import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { AppError } from "./errors.ts";

/** The repository's folder. */
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

/** Everything that the environment may set. This file is the only reader of `process.env`. */
export interface Config {
  /** All data: databases, keys, media, logs. */
  home: string;
  /** An existing Postgres with pgvector in place of the embedded one. */
  databaseUrl: string | undefined;
  /** 32 bytes, base64 or hex; else `secret.key` in the home folder. */
  secretKey: string | undefined;
  /** Address that the people's pages listen on. */
  host: string;
  /** Port of the people's pages; chosen free at first start when not set. */
  port: number | undefined;
  /** Address under which people reach the platform when it is not `http://host:port`, without a slash at the end. */
  publicUrl: string | undefined;
  logLevel: string;
  /** Hosts (`host` or `host:port`) that addresses typed by tenants may lead to, although they are local or private. */
  allowHosts: string[];
  /** Folder of an unpacked Element Web. */
  elementWeb: string | undefined;
  /** Address and SHA-256 of the Element Web release to fetch in place of the pinned one. */
  elementWebUrl: string | undefined;
  elementWebSha256: string | undefined;
  /** Variables by which the operator's default model is chosen. */
  model: {
    model: string | undefined;
    openaiBaseUrl: string | undefined;
    openaiKey: string | undefined;
    anthropicBaseUrl: string | undefined;
    anthropicKey: string | undefined;
    googleKey: string | undefined;
    /** Loopback ports on which local model servers are looked for. Empty: not looked for. */
    localPorts: number[];
  };
}

/** Reads the environment. Throws `setup` with a sentence for a value that cannot be. */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const text = (name: string) => env[name]?.trim() || undefined;
  return {
    home: path.resolve(text("AGENTOPIA_HOME") ?? path.join(ROOT, ".agentopia")),
    databaseUrl: databaseUrl(text("DATABASE_URL")),
    secretKey: text("AGENTOPIA_SECRET_KEY"),
    host: text("AGENTOPIA_HOST") ?? "127.0.0.1",
    port: port("AGENTOPIA_PORT", text("AGENTOPIA_PORT")),
    publicUrl: text("AGENTOPIA_URL")?.replace(/\/+$/, ""),
    logLevel: text("AGENTOPIA_LOG_LEVEL") ?? "info",
    allowHosts: (text("AGENTOPIA_ALLOW_HOSTS") ?? "").split(/[\s,]+/).filter(Boolean),
    elementWeb: elementFolder(text("AGENTOPIA_ELEMENT_WEB")),
    elementWebUrl: text("AGENTOPIA_ELEMENT_WEB_URL"),
    elementWebSha256: text("AGENTOPIA_ELEMENT_WEB_SHA256"),
    model: {
      model: text("AGENTOPIA_MODEL"),
      openaiBaseUrl: text("OPENAI_BASE_URL"),
      openaiKey: text("OPENAI_API_KEY"),
      anthropicBaseUrl: text("ANTHROPIC_BASE_URL"),
      anthropicKey: text("ANTHROPIC_API_KEY"),
      googleKey: text("GOOGLE_GENERATIVE_AI_API_KEY") ?? text("GEMINI_API_KEY"),
      // Ollama, LM Studio, vLLM, llama.cpp
      localPorts: (text("AGENTOPIA_LOCAL_MODEL_PORTS") ?? "11434,1234,8000,8080")
        .split(",")
        .map((part) => port("AGENTOPIA_LOCAL_MODEL_PORTS", part.trim()))
        .filter((number) => number !== undefined),
    },
  };
}

function port(name: string, value: string | undefined): number | undefined {
  if (!value || value === "none") return undefined;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > 65535)
    throw new AppError("setup", `${name} must be a port number from 1 to 65535, but it is "${value}".`);
  return number;
}

function databaseUrl(value: string | undefined): string | undefined {
  if (!value) return undefined;
  if (!URL.canParse(value) || !/^postgres(ql)?:$/.test(new URL(value).protocol))
    throw new AppError(
      "setup",
      "DATABASE_URL must look like postgres://user:password@host:5432/database. Correct it, or unset it to use the database that comes with Agentopia.",
    );
  return value;
}

function elementFolder(value: string | undefined): string | undefined {
  if (!value) return undefined;
  if (!existsSync(path.join(value, "index.html")))
    throw new AppError(
      "setup",
      `AGENTOPIA_ELEMENT_WEB names ${value}, but there is no index.html in it. Unpack an Element Web release there or unset it.`,
    );
  return path.resolve(value);
}

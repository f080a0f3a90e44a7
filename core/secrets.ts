import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Config } from "./config.ts";
import { AppError } from "./errors.ts";

/** Encrypts what must not be read from the database: AES-256-GCM, as `keyId.nonce.tag.ciphertext` in base64url. */
export interface Secrets {
  /** First 8 hex digits of the key's SHA-256. */
  keyId: string;
  /** Encrypts; `about` (a table and row) is bound to it, so that a value copied into another row does not open. */
  seal(plain: string, about: string): string;
  /** Throws `setup` when the key is not the one it was sealed with. */
  open(sealed: string, about: string): string;
}

/** The key from AGENTOPIA_SECRET_KEY, or from `secret.key` in the home folder, which is made when there is none. */
export function openSecrets(config: Pick<Config, "home" | "secretKey">): Secrets {
  const key = config.secretKey ? parseKey(config.secretKey) : fileKey(path.join(config.home, "secret.key"));
  const keyId = createHash("sha256").update(key).digest("hex").slice(0, 8);
  return {
    keyId,
    seal(plain, about) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(about));
      const body = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
      return [keyId, ...[nonce, cipher.getAuthTag(), body].map((part) => part.toString("base64url"))].join(".");
    },
    open(sealed, about) {
      const [id, nonce, tag, body] = sealed.split(".");
      if (id !== keyId || !nonce || !tag || body === undefined) throw wrongKey();
      const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64url"))
        .setAAD(Buffer.from(about))
        .setAuthTag(Buffer.from(tag, "base64url"));
      try {
        return Buffer.concat([decipher.update(Buffer.from(body, "base64url")), decipher.final()]).toString("utf8");
      } catch (cause) {
        throw wrongKey(cause);
      }
    },
  };
}

const wrongKey = (cause?: unknown) =>
  new AppError(
    "setup",
    "The secret key does not belong to this data. Put back the secret.key (or AGENTOPIA_SECRET_KEY) that this folder was made with; a backup holds it.",
    { cause },
  );

function parseKey(text: string): Buffer {
  const key = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, "hex") : Buffer.from(text, "base64");
  if (key.length === 32) return key;
  throw new AppError(
    "setup",
    "The secret key must be 32 bytes, as 64 hex digits or in base64. Correct AGENTOPIA_SECRET_KEY or secret.key.",
  );
}

function fileKey(file: string): Buffer {
  if (existsSync(file)) return parseKey(readFileSync(file, "utf8").trim());
  mkdirSync(path.dirname(file), { recursive: true });
  const key = randomBytes(32);
  writeFileSync(file, `${key.toString("base64")}\n`, { mode: 0o600, flag: "wx" });
  chmodSync(file, 0o600);
  return key;
}

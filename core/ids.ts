import { createHash, randomBytes, randomUUID } from "node:crypto";

/** A new random id for a row. */
export const newId = (): string => randomUUID();

/** A secret for a link or a token: 32 bytes, base64url (43 characters). */
export const newToken = (bytes = 32): string => randomBytes(bytes).toString("base64url");

/** How tokens are stored: SHA-256, hex. Tokens have 256 random bits, so no salt and no slow hash is needed. */
export const hashToken = (token: string): string => createHash("sha256").update(token).digest("hex");

/** The same parts always give the same id (SHA-256 over their JSON, first 128 bits, hex): what happens twice gets one row. */
export const stableId = (...parts: (string | number)[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);

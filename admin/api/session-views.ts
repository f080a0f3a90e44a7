/** What the API says of accounts, sessions and tokens. */
import { ACTIONS, type Action } from "../rights.ts";
import { moment, z } from "./endpoint.ts";

const client = z.object({ id: z.string(), title: z.string(), serverName: z.string() });

export const meView = z
  .object({
    kind: z.enum(["operator", "person"]),
    id: z.string().openapi({ description: "The operator's id, or the Matrix user id." }),
    name: z.string(),
    role: z.enum(["operator", "owner", "manager", "auditor", "member"]),
    client: client.nullable().openapi({ description: "The client that a person belongs to." }),
    rights: z
      .array(z.enum(ACTIONS as [Action, ...Action[]]))
      .openapi({ description: "What this role may in its place." }),
    panelUrl: z.string(),
  })
  .openapi("Me");
export type Me = z.output<typeof meView>;

export const linkView = z
  .object({
    kind: z.enum(["operator", "sign_in", "password"]),
    name: z.string().openapi({ description: "For whom it is: an operator's name or a Matrix user id." }),
    client: client.nullable(),
    expiresAt: moment,
    needsCode: z.boolean().openapi({ description: "The second factor is asked for too." }),
  })
  .openapi("Link");
export type LinkView = z.output<typeof linkView>;

export const sessionView = z
  .object({
    id: z.string(),
    userAgent: z.string().nullable(),
    address: z.string().nullable(),
    createdAt: moment,
    lastSeenAt: moment,
    expiresAt: moment,
    current: z.boolean().openapi({ description: "The one that asks." }),
  })
  .openapi("Session");
export type SessionView = z.output<typeof sessionView>;

export const secondFactorView = z
  .object({ on: z.boolean(), recoveryCodesLeft: z.number().int() })
  .openapi("SecondFactor");
export type SecondFactorView = z.output<typeof secondFactorView>;

export const newSecondFactorView = z
  .object({
    secret: z.string().openapi({ description: "Base32, to be typed into an app." }),
    qr: z.string().openapi({ description: "The same as a picture, SVG." }),
    pending: z.string().openapi({ description: "To be sent back with the first code, within 15 minutes." }),
  })
  .openapi("NewSecondFactor");
export type NewSecondFactorView = z.output<typeof newSecondFactorView>;

export const recoveryCodesView = z.object({ recoveryCodes: z.array(z.string()) }).openapi("RecoveryCodes");
export type RecoveryCodesView = z.output<typeof recoveryCodesView>;

export const tokenView = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.string()),
    state: z.enum(["active", "expired", "revoked"]),
    expiresAt: moment,
    lastUsedAt: moment.nullable(),
    createdAt: moment,
  })
  .openapi("ApiToken");
export type TokenView = z.output<typeof tokenView>;

export const newTokenView = tokenView
  .extend({ token: z.string().openapi({ description: "Shown this once." }) })
  .openapi("NewApiToken");
export type NewTokenView = z.output<typeof newTokenView>;

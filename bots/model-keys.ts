import type { Context } from "../core/context.ts";

const about = (id: string) => `models:${id}`;

/** A model's key as it is kept: encrypted, bound to its row. */
export const sealKey = (ctx: Pick<Context, "secrets">, id: string, key: string | null | undefined): string | null =>
  key ? ctx.secrets.seal(key, about(id)) : null;

/** The key in the clear. Throws `setup` for a key that was sealed under another secret key. */
export const openKey = (ctx: Pick<Context, "secrets">, id: string, sealed: string | null): string | null =>
  sealed === null ? null : ctx.secrets.open(sealed, about(id));

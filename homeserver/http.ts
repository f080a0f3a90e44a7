import { Agent, request } from "undici";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { type TenantAccess, tenantAccess } from "./access.ts";

/**
 * Calls to a tenant's homeserver, as any of our users. Straight over undici's kept connections: matrix-bot-sdk's client
 * costs 50 MB and more time per call than Synapse's answer is worth (docs/decisions/0003).
 */
const connections = new Agent({ connections: 48, keepAliveTimeout: 20_000, connect: { timeout: 5_000 } });

export interface Call {
  method: "GET" | "PUT" | "POST" | "DELETE";
  /** Below the base URL, already escaped: use `pathOf`. */
  path: string;
  query?: Record<string, string | number | undefined>;
  body?: Record<string, unknown>;
  /** Whom the call acts as; the control bot when not given. Null: without any token. */
  as?: string | null;
  /** Another access token than the appservice's. */
  token?: string;
  /** A device that exists: Synapse then knows the transaction id again after its own restart. */
  deviceId?: string | undefined;
  /** Milliseconds until it counts as down (default 30 s). */
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

/** What the homeserver said when it refused; the `cause` of an AppError `homeserver_refused`. */
export class MatrixRefusal extends Error {
  readonly status: number;
  readonly errcode: string;
  constructor(status: number, errcode: string, message: string) {
    super(message);
    this.name = "MatrixRefusal";
    this.status = status;
    this.errcode = errcode;
  }
}

/** `M_FORBIDDEN` and the like when `error` says that the homeserver refused; else undefined. */
export const errcodeOf = (error: unknown): string | undefined =>
  error instanceof AppError && error.cause instanceof MatrixRefusal ? error.cause.errcode : undefined;

/** Joins path segments, each escaped. Throws `invalid` for . and .., which stay steps to elsewhere however they are escaped (WHATWG URL, 4.5). */
export function pathOf(...segments: string[]): string {
  if (segments.some((segment) => segment === "." || segment === ".."))
    throw new AppError("invalid", "“.” and “..” name nothing on a homeserver. Check what was written there.");
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join("");
}

/** One call to the homeserver of `tenantId`. Throws `homeserver_down` (worth a retry) or `homeserver_refused` (cause: MatrixRefusal). */
export async function call<T = Record<string, unknown>>(ctx: Context, tenantId: string, what: Call): Promise<T> {
  return callWith<T>(await tenantAccess(ctx, tenantId), what);
}

/** As `call`, for whoever has the access already. */
export async function callWith<T = Record<string, unknown>>(access: TenantAccess, what: Call): Promise<T> {
  const headers: Record<string, string> = {};
  if (what.body) headers["content-type"] = "application/json";
  const answer = await send(access, what, headers, what.body && JSON.stringify(what.body));
  const text = await answer.body.text().catch((cause) => {
    throw down(access, cause);
  });
  const json = parse(text);
  if (answer.statusCode < 300 && json !== undefined) return json as T;
  throw failure(access, answer.statusCode, json, answer.headers["retry-after"]);
}

/** Sends bytes (`body`) or asks for bytes; the caller reads the body. Throws like `call`. */
export async function callRaw(
  access: TenantAccess,
  what: Omit<Call, "body">,
  upload?: { bytes: Uint8Array; contentType: string },
): Promise<Awaited<ReturnType<typeof request>>> {
  const headers: Record<string, string> = upload ? { "content-type": upload.contentType } : {};
  const answer = await send(access, what, headers, upload?.bytes);
  if (answer.statusCode < 300) return answer;
  throw failure(access, answer.statusCode, parse(await answer.body.text()), answer.headers["retry-after"]);
}

async function send(
  access: TenantAccess,
  what: Omit<Call, "body">,
  headers: Record<string, string>,
  body: string | Uint8Array | undefined,
) {
  if (what.as !== null) headers.authorization = `Bearer ${what.token ?? access.asToken}`;
  try {
    return await request(access.homeserverUrl + what.path + queryOf(what), {
      method: what.method,
      headers,
      body: body ?? null,
      dispatcher: connections,
      headersTimeout: what.timeoutMs ?? 30_000,
      bodyTimeout: what.timeoutMs ?? 30_000,
      signal: what.signal ?? null,
    });
  } catch (cause) {
    if (what.signal?.aborted) throw what.signal.reason;
    throw down(access, cause);
  }
}

function queryOf(what: Omit<Call, "body">): string {
  const parts: string[] = [];
  if (what.as) parts.push(`user_id=${encodeURIComponent(what.as)}`);
  // matrix-bot-sdk sends org.matrix.msc3202.device_id, which Synapse 1.163 no longer reads (synapse/api/auth/base.py).
  if (what.as && what.deviceId) parts.push(`device_id=${encodeURIComponent(what.deviceId)}`);
  for (const [name, value] of Object.entries(what.query ?? {}))
    if (value !== undefined) parts.push(`${name}=${encodeURIComponent(value)}`);
  return parts.length > 0 ? `?${parts.join("&")}` : "";
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : undefined;
  } catch {
    // Not JSON, such as a proxy's error page: the status decides.
    return undefined;
  }
}

function failure(
  access: TenantAccess,
  status: number,
  json: Record<string, unknown> | undefined,
  retryAfter: string | string[] | undefined,
): AppError {
  const errcode = typeof json?.errcode === "string" ? json.errcode : "M_UNKNOWN";
  const message = typeof json?.error === "string" ? json.error : `HTTP ${status}`;
  const refusal = new MatrixRefusal(status, errcode, message);
  if (status === 429) {
    const ms = Number(json?.retry_after_ms ?? Number(retryAfter) * 1000);
    return new AppError("homeserver_down", `The homeserver of ${access.id} asks for a slower pace.`, {
      cause: refusal,
      retryAfterMs: Number.isFinite(ms) ? ms : 1000,
    });
  }
  if (status >= 500 || json === undefined) return down(access, refusal);
  return new AppError("homeserver_refused", `The homeserver of ${access.id} refused: ${message}`, { cause: refusal });
}

const down = (access: TenantAccess, cause: unknown) =>
  new AppError("homeserver_down", `The homeserver of ${access.id} does not answer at ${access.homeserverUrl}.`, {
    cause,
  });

/** How a route of the API is written down: what it takes, who may, what it answers. `serve.ts` makes HTTP of it. */
import { z } from "@hono/zod-openapi";
import type { Context as Request } from "hono";
import type { Context } from "../../core/context.ts";
import type { Action } from "../rights.ts";
import type { Caller } from "./caller.ts";
import "./sentences.ts";

export { z };

/** Sections of the API's description, and topics of the live stream: a change under a tag tells open pages to look again. */
export type Tag =
  | "session"
  | "operators"
  | "clients"
  | "people"
  | "invites"
  | "teams"
  | "agents"
  | "templates"
  | "models"
  | "tools"
  | "approvals"
  | "schedules"
  | "runs"
  | "usage"
  | "audit";

type ParamNames<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamNames<Rest>
  : never;
export type ParamsOf<Path extends string> = { [name in ParamNames<Path>]: string };

/** One line of the audit log. The caller, the action and the time are added. */
export interface AuditEntry {
  /** What the log calls it, where the handler alone knows: a decision is a yes or a no. */
  action?: string;
  target: { kind: string; id: string; name?: string | null | undefined };
  /** What it was and is, without secrets; only what changed. */
  before?: unknown;
  after?: unknown;
}

/** What a handler is given. */
export interface Call<Params, Query, Body, Who> {
  ctx: Context;
  caller: Who;
  params: Params;
  query: Query;
  body: Body;
  /** Whether the caller may do something else besides, in the same client. */
  may(action: Action): boolean;
  /** What the log says of this change; without it the log has the parameters and the body. */
  audit(entry: AuditEntry): void;
  /** The request itself: headers, cookies, and `Response`s for streams and files. */
  http: Request;
}

type Schema = z.ZodType;

interface Spec<Path extends string, Query extends Schema, Body extends Schema, Answer extends Schema> {
  method: "get" | "post" | "put" | "patch" | "delete";
  /** Below `/api/v1`. `{client}` names the client that it is about: whose rights are asked. */
  path: Path;
  /** The right it needs. `signed_in`: any caller, about themselves. `public`: everybody. */
  action: Action | "signed_in" | "public";
  /** What the audit log calls it, when it says more than the right; `null`: changes nothing worth a line (with a reason beside it). */
  auditAs?: string | null;
  /** A `get` that stands in the audit log all the same: what it gives away is worth a line. */
  auditsReading?: true;
  tag: Tag;
  summary: string;
  query?: Query;
  body?: Body;
  /** The body is a file as it is, with its own content type: the handler reads it from `http`. */
  takesFile?: boolean;
  /** What is answered; fields that it does not name are left out. `null`: 204. `stream`, `file`: the handler makes the Response. */
  answer: Answer | null | "stream" | "file";
  /** 200 unless said otherwise. */
  status?: 200 | 201 | 202;
  /** Bytes that the body may have (default 1 MB). */
  maxBody?: number;
  /** An `Idempotency-Key` makes the same request create once. */
  creates?: boolean;
}

/** An endpoint as `serve.ts` takes it: its types are known to its handler only. */
export interface Endpoint {
  method: Spec<string, Schema, Schema, Schema>["method"];
  path: string;
  action: Action | "signed_in" | "public";
  auditAs: string | null;
  auditsReading: boolean;
  tag: Tag;
  summary: string;
  query: Schema | undefined;
  body: Schema | undefined;
  takesFile: boolean;
  answer: Schema | null | "stream" | "file";
  status: 200 | 201 | 202 | 204;
  maxBody: number;
  creates: boolean;
  handle(call: Call<Record<string, string>, unknown, unknown, Caller | null>): Promise<unknown>;
}

type Answered<Answer> = Answer extends Schema ? z.input<Answer> : Answer extends null ? undefined : Response;

export function endpoint<
  const Path extends string,
  Who extends "public" | "signed_in" | Action,
  Query extends Schema = z.ZodObject<Record<never, never>>,
  Body extends Schema = z.ZodUndefined,
  Answer extends Schema | null | "stream" | "file" = null,
>(
  spec: Omit<Spec<Path, Query, Body, Schema>, "answer" | "action"> & { answer: Answer; action: Who },
  handle: (
    call: Call<ParamsOf<Path>, z.output<Query>, z.output<Body>, Who extends "public" ? Caller | null : Caller>,
    // biome-ignore lint/suspicious/noConfusingVoidType: a handler of a 204 returns nothing
  ) => Promise<Answered<Answer> | (Answer extends null ? void : never)>,
): Endpoint {
  return {
    method: spec.method,
    path: spec.path,
    action: spec.action,
    auditAs: spec.auditAs === undefined ? (spec.action === "public" ? null : spec.action) : spec.auditAs,
    auditsReading: spec.auditsReading ?? false,
    tag: spec.tag,
    summary: spec.summary,
    query: spec.query,
    body: spec.body,
    takesFile: spec.takesFile ?? false,
    answer: spec.answer,
    status: spec.answer === null ? 204 : (spec.status ?? 200),
    maxBody: spec.maxBody ?? 1_000_000,
    creates: spec.creates ?? false,
    handle: handle as Endpoint["handle"],
  };
}

/** A moment, as ISO 8601 in UTC. */
export const moment = z.iso.datetime().openapi({ example: "2026-11-21T09:00:00.000Z" });

/** A text that people typed: trimmed, without control characters except line breaks and tabs, NFC. */
export const words = (most: number, least = 1) =>
  z
    .string()
    .max(most)
    .transform((text) => text.normalize("NFC").trim())
    .refine((text) => text.length >= least, { message: least === 1 ? "This cannot be empty." : "This is too short." })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what Postgres and Matrix do not take
    .refine((text) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u.test(text), {
      message: "This contains characters that cannot be stored.",
    });

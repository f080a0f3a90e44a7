/** What a form was, and what was filled in. */
import { getFormRun, listFormRuns } from "../../bots/forms/list.ts";
import { listFormVersions, readVersion, rollbackForm } from "../../bots/forms/publish.ts";
import { stopFilledForm } from "../../bots/forms/stop-filled.ts";
import { fillForm } from "../../bots/forms/submit.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { byline } from "./caller.ts";
import { type Endpoint, endpoint, z } from "./endpoint.ts";
import { findForm, targetOf } from "./forms.ts";
import { formOf, formRunOf, formVersionOf, sayingWhy } from "./forms-answers.ts";
import { fillBody, formRunView, formVersionDetails, formVersionView, formView } from "./forms-views.ts";
import { pageOf, pageQuery, readCursor, toPage, writeCursor } from "./pages.ts";

const ONE = "/clients/{client}/forms/{form}";

export const formRecordEndpoints = (ctx: Context): Endpoint[] => [...versions(ctx), ...filling(ctx)];

const versions = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: `${ONE}/versions`,
      action: "tools.read",
      tag: "tools",
      summary: "What was published of a form, newest first",
      query: pageQuery,
      answer: pageOf(formVersionView),
    },
    async ({ params, query }) => {
      const row = await findForm(ctx, params);
      const [before] = readCursor(query.cursor, "number") ?? [];
      const limit = query.limit + 1;
      const rows = await listFormVersions(
        ctx,
        row.id,
        before === undefined ? { limit } : { limit, before: whole(before) },
      );
      return toPage(rows, query.limit, ({ version }) => writeCursor(version), formVersionOf);
    },
  ),
  endpoint(
    {
      method: "get",
      path: `${ONE}/versions/{version}`,
      action: "tools.read",
      tag: "tools",
      summary: "One version of a form with its definition",
      answer: formVersionDetails,
    },
    async ({ params }) => {
      const found = await readVersion(ctx.db, await findForm(ctx, params), whole(Number(params.version)));
      return { ...formVersionOf(found), definition: found.definition };
    },
  ),
  endpoint(
    {
      method: "post",
      path: `${ONE}/versions/{version}/rollback`,
      action: "forms.write",
      auditAs: "forms.rollback",
      tag: "tools",
      summary: "Publish what an earlier version said, as a new one; a draft stays",
      answer: formView,
    },
    async ({ params, caller, audit }) => {
      const before = await findForm(ctx, params);
      const version = whole(Number(params.version));
      const which = { tenantId: params.client, formId: before.id, version, by: byline(caller) };
      const row = await sayingWhy(rollbackForm(ctx, which), "");
      audit({
        ...targetOf(row),
        before: { version: before.version },
        after: { version: row.version, backTo: version },
      });
      return await formOf(ctx, row, true);
    },
  ),
];

const filling = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "post",
      path: `${ONE}/runs`,
      action: "forms.fill",
      // A form that is filled in changes nothing for others; it stands in the list of what was filled in.
      auditAs: null,
      tag: "tools",
      summary: "Fill it in; the result comes later, here or in the room",
      body: fillBody,
      answer: formRunView,
      status: 201,
      creates: true,
    },
    async ({ params, body, caller, may }) => {
      const row = await findForm(ctx, params);
      if (body.draft && !may("forms.write"))
        throw new AppError("forbidden", "Only those who may change forms can try a draft.");
      const via = body.draft ? "try" : body.room === undefined ? "panel" : "link";
      const by = byline(caller);
      const place = { roomId: body.room ?? null, cause: ["panel", newId()] };
      const wish = { tenantId: params.client, formId: row.id, values: body.values, by, via, ...place } as const;
      const id = await sayingWhy(fillForm(ctx, wish), "values.");
      return formRunOf(await getFormRun(ctx, { tenantId: params.client, formId: row.id, id, by }));
    },
  ),
  endpoint(
    {
      method: "get",
      path: `${ONE}/runs`,
      action: "forms.read",
      tag: "tools",
      summary: "What was filled in, newest first; members get what they filled in themselves",
      query: pageQuery,
      answer: pageOf(formRunView),
    },
    async ({ params, query, caller, may }) => {
      const row = await findForm(ctx, params);
      const [micros, id] = readCursor(query.cursor, "number", "string") ?? [];
      const after = micros === undefined || id === undefined ? null : { micros, id };
      const by = may("runs.read") ? null : byline(caller);
      const found = await listFormRuns(ctx, {
        tenantId: params.client,
        formId: row.id,
        by,
        after,
        limit: query.limit + 1,
      });
      return toPage(found, query.limit, (run) => writeCursor(run.micros, run.id), formRunOf);
    },
  ),
  endpoint(
    {
      method: "get",
      path: `${ONE}/runs/{run}`,
      action: "forms.read",
      tag: "tools",
      summary: "One form that was filled in, with its result when it is there",
      answer: formRunView,
    },
    async ({ params, caller, may }) => {
      const row = await findForm(ctx, params);
      const by = may("runs.read") ? null : byline(caller);
      return formRunOf(await getFormRun(ctx, { tenantId: params.client, formId: row.id, id: params.run, by }));
    },
  ),
  endpoint(
    {
      method: "post",
      path: `${ONE}/runs/{run}/stop`,
      action: "forms.fill",
      auditAs: "forms.stop",
      tag: "tools",
      summary: "End one that is being worked on; members end what they filled in themselves",
      answer: z.object({ stopping: z.boolean() }),
    },
    async ({ params, caller, may, audit }) => {
      const row = await findForm(ctx, params);
      const by = byline(caller);
      const which = { tenantId: params.client, formId: row.id, id: params.run };
      const run = await getFormRun(ctx, { ...which, by: may("runs.control") ? null : by });
      audit({ ...targetOf(row), before: { run: run.id, state: run.state } });
      const stopping = await stopFilledForm(ctx, { ...which, by });
      if (!stopping && run.state !== "queued" && run.state !== "running")
        throw new AppError("conflict", "This form is over already, so there is nothing to stop.");
      return { stopping: true };
    },
  ),
];

/** Throws `not_found` for what is no version's number. */
function whole(version: number): number {
  if (!Number.isInteger(version) || version < 1 || version > 2_147_483_647)
    throw new AppError("not_found", "There is no such version.");
  return version;
}

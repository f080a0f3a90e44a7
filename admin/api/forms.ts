/** Form tools: the list, one of them, its draft and what becomes of it. */
import { createForm, discardForm, saveForm } from "../../bots/forms/drafts.ts";
import { postFormLink } from "../../bots/forms/link.ts";
import { listForms } from "../../bots/forms/list.ts";
import { publishForm, removeForm, setFormState } from "../../bots/forms/publish.ts";
import { agentNames, type FormRow, getForm } from "../../bots/forms/rows.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import type { FormDefinition } from "../../migrations/types.ts";
import { publicUrl } from "../public-url.ts";
import { byline } from "./caller.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { agentOf, formItemOf, formOf, sayingWhy } from "./forms-answers.ts";
import { formRecordEndpoints } from "./forms-records.ts";
import {
  createBody,
  discardQuery,
  draftBody,
  formItem,
  formView,
  linkBody,
  listQuery,
  publishBody,
} from "./forms-views.ts";
import { pageOf, readCursor, toPage, writeCursor } from "./pages.ts";

const LIST = "/clients/{client}/forms";
const ONE = "/clients/{client}/forms/{form}";

export const formEndpoints = (ctx: Context): Endpoint[] => [
  ...listing(ctx),
  ...writing(ctx),
  ...living(ctx),
  ...formRecordEndpoints(ctx),
];

const listing = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: LIST,
      action: "forms.read",
      tag: "tools",
      summary: "A client's form tools, by name; members see those that they can fill in",
      query: listQuery,
      answer: pageOf(formItem),
    },
    async ({ params, query, may }) => {
      await getTenant(ctx, params.client);
      const [after] = readCursor(query.cursor, "string") ?? [null];
      const all = may("tools.read");
      const filter = { activeOnly: !all, q: query.q?.trim(), after, limit: query.limit + 1 };
      const rows = await listForms(ctx, params.client, filter);
      const names = await agentNames(ctx, params.client, rows.map(agentOf));
      return toPage(
        rows,
        query.limit,
        ({ name }) => writeCursor(name),
        (row) => formItemOf(row, names, all),
      );
    },
  ),
  endpoint(
    {
      method: "get",
      path: ONE,
      action: "forms.read",
      tag: "tools",
      summary: "One form, by id or name",
      answer: formView,
    },
    async ({ params, may }) => {
      const row = await findForm(ctx, params);
      const all = may("tools.read");
      if (!all && row.state !== "active") throw new AppError("not_found", "There is no such form, or it is paused.");
      return await formOf(ctx, row, all);
    },
  ),
];

const writing = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "post",
      path: LIST,
      action: "forms.write",
      auditAs: "forms.create",
      tag: "tools",
      summary: "Write a new form: a draft",
      body: createBody,
      answer: formView,
      status: 201,
      creates: true,
    },
    async ({ params, body, caller, audit }) => {
      const definition: FormDefinition = { ...BLANK, ...body.definition };
      const row = await sayingWhy(
        createForm(ctx, { tenantId: params.client, definition, by: byline(caller) }),
        "definition.",
      );
      audit({ ...targetOf(row), after: { name: row.name } });
      return await formOf(ctx, row, true);
    },
  ),
  endpoint(
    {
      method: "put",
      path: `${ONE}/draft`,
      action: "forms.write",
      auditAs: "forms.save_draft",
      tag: "tools",
      summary: "Keep what is written; 409 with the other draft when somebody else was faster",
      body: draftBody,
      answer: formView,
    },
    async ({ params, body, caller, audit }) => {
      const before = await findForm(ctx, params);
      const wish = { tenantId: params.client, formId: before.id, ...body, by: byline(caller) };
      const row = await sayingWhy(saveForm(ctx, wish), "definition.");
      audit({ ...targetOf(row), ...changed(before.draft ?? before.definition, body.definition) });
      return await formOf(ctx, row, true);
    },
  ),
  endpoint(
    {
      method: "delete",
      path: `${ONE}/draft`,
      action: "forms.write",
      auditAs: "forms.discard_draft",
      tag: "tools",
      summary: "Forget what is written; what is published stands",
      query: discardQuery,
      answer: formView,
    },
    async ({ params, query, audit }) => {
      const before = await findForm(ctx, params);
      const which = { tenantId: params.client, formId: before.id, revision: query.revision };
      const row = await sayingWhy(discardForm(ctx, which), "");
      audit({ ...targetOf(row), before: before.draft, after: null });
      return await formOf(ctx, row, true);
    },
  ),
  endpoint(
    {
      method: "post",
      path: `${ONE}/publish`,
      action: "forms.write",
      auditAs: "forms.publish",
      tag: "tools",
      summary: "Make the draft what people fill in; said twice it happens once",
      body: publishBody,
      answer: formView,
    },
    async ({ params, body, caller, audit }) => {
      const before = await findForm(ctx, params);
      const was = before.state === "draft" ? null : before.definition;
      const wish = { tenantId: params.client, formId: before.id, ...body, by: byline(caller) };
      const row = await sayingWhy(publishForm(ctx, wish), "");
      audit({ ...targetOf(row), ...changed(was, row.definition, { version: row.version }) });
      return await formOf(ctx, row, true);
    },
  ),
];

const living = (ctx: Context): Endpoint[] => [
  ...(["pause", "resume"] as const).map((verb) =>
    endpoint(
      {
        method: "post",
        path: verb === "pause" ? `${ONE}/pause` : `${ONE}/resume`,
        action: "forms.write",
        auditAs: `forms.${verb}`,
        tag: "tools",
        summary: verb === "pause" ? "Let nobody fill it in until it is resumed" : "Let it be filled in again",
        answer: formView,
      },
      async ({ params, audit }) => {
        const before = await findForm(ctx, params);
        const ids = { tenantId: params.client, formId: before.id };
        const row = await setFormState(ctx, ids, verb === "pause" ? "paused" : "active");
        audit({ ...targetOf(row), before: { state: before.state }, after: { state: row.state } });
        return await formOf(ctx, row, true);
      },
    ),
  ),
  endpoint(
    {
      method: "delete",
      path: ONE,
      action: "forms.write",
      auditAs: "forms.remove",
      tag: "tools",
      summary: "Take it away for good; what was filled in stays",
      answer: null,
    },
    async ({ params, audit }) => {
      const row = await findForm(ctx, params);
      audit({ ...targetOf(row), before: row.definition, after: null });
      await removeForm(ctx, { tenantId: params.client, formId: row.id });
    },
  ),
  endpoint(
    {
      method: "post",
      path: `${ONE}/link`,
      action: "forms.write",
      auditAs: "forms.post_link",
      tag: "tools",
      summary: "Post a link to it in a room; what is filled in there is answered in the room",
      body: linkBody,
      answer: null,
      creates: true,
    },
    async ({ params, body, audit }) => {
      const row = await findForm(ctx, params);
      audit({ ...targetOf(row), after: { room: body.room } });
      const page = `/panel/c/${encodeURIComponent(params.client)}/forms/${encodeURIComponent(row.id)}`;
      const url = `${await publicUrl(ctx)}${page}?room=${encodeURIComponent(body.room)}`;
      await postFormLink(ctx, row, { roomId: body.room, url });
    },
  ),
];

/** What a form is when nobody said anything else. */
const BLANK: Omit<FormDefinition, "name"> = {
  title: "",
  description: "",
  input: { type: "object", properties: {} },
  prompt: "",
  agent: null,
  model: null,
  output: null,
};

/** By id or name. Throws `not_found`. */
export async function findForm(ctx: Context, { client, form }: { client: string; form: string }): Promise<FormRow> {
  await getTenant(ctx, client);
  return await getForm(ctx, client, form);
}

export const targetOf = ({ id, name }: FormRow) => ({ target: { kind: "form", id, name } });

/** The fields that differ, as the audit log keeps them. */
function changed(before: FormDefinition | null, after: FormDefinition, more: Record<string, unknown> = {}) {
  const fields = Object.keys({ ...before, ...after }) as (keyof FormDefinition)[];
  const differ = fields.filter((field) => JSON.stringify(before?.[field]) !== JSON.stringify(after[field]));
  const pick = (from: FormDefinition | null) =>
    from && Object.fromEntries(differ.map((field) => [field, from[field] ?? null]));
  return { before: pick(before), after: { ...pick(after), ...more } };
}

/** Definitions side by side: what differs, as texts that a person reads. */
import { texts } from "../../texts.ts";
import type { Definition } from "./definition.ts";
import type { Policy, Tools } from "./tools/bounds.ts";

export interface Difference {
  /** `instructions`, `variables.voice`, … */
  field: string;
  from: string;
  to: string;
}

const { diff, invite, form, scope } = texts.agents;
const { field: toolWords, groups, groupOf } = texts.tools;
const ORDER = [
  "name",
  "description",
  "instructions",
  "variables",
  "model",
  "whoMayInvite",
  "scope",
  "tools",
  "limits",
  "avatar",
];

export function differences(from: Definition, to: Definition): Difference[] {
  const [before, after] = [flat(from), flat(to)];
  const fields = [...new Set([...before.keys(), ...after.keys()])];
  return fields
    .map((field) => ({
      field,
      from: readable(field, before.get(field)),
      to: readable(field, after.get(field)),
    }))
    .filter((one) => one.from !== one.to)
    .toSorted((a, b) => ORDER.indexOf(root(a.field)) - ORDER.indexOf(root(b.field)));
}

/** A field's value in words. */
export function readable(field: string, value: unknown): string {
  if (field === "model") return typeof value === "string" ? value : form.modelDefault(null);
  if (value === undefined || value === null) return "";
  if (field === "scope") return scope[value as Definition["scope"]] ?? String(value);
  if (field === "whoMayInvite") return whoMayInvite(value as Definition["whoMayInvite"]);
  if (field === "tools") return allTools(value as Tools);
  if (/^tools\..*\.policy$/.test(field)) return toolWords.policies[value as Policy]?.title ?? String(value);
  if (Array.isArray(value)) return value.join("\n");
  if (field === "avatar") return avatar(value as NonNullable<Definition["avatar"]>);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export function fieldTitle(field: string): string {
  const bounds = /^tools\.(.+)\.(\w+)$/.exec(field);
  if (bounds) return `${diff.fields.tools}: ${nameOfTools(bounds[1] ?? "")}, ${boundTitle(bounds[2] ?? "")}`;
  const [head = "", ...rest] = field.split(".");
  const title = diff.fields[head as keyof typeof diff.fields] ?? head;
  return rest.length > 0 ? `${title}: ${rest.join(".")}` : title;
}

/** A group by its title, a tool by its name: the form knows its title. */
const nameOfTools = (name: string) => (Object.hasOwn(groups, name) ? groupOf(name).title : name);
const boundTitle = (name: string) => (name === "policy" ? diff.policy : String(toolWords[name as "allow"] ?? name));

/** Of a template's changes, where all of it is one field. */
const allTools = (tools: Tools): string =>
  Object.entries(flatTools(tools))
    .map(
      ([field, value]) =>
        `${fieldTitle(field).replace(`${diff.fields.tools}: `, "")}: ${readable(field, value).replaceAll("\n", ", ")}`,
    )
    .join("\n");

const flatTools = (tools: Tools): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(tools).flatMap(([name, bounds]) =>
      Object.entries(bounds).map(([field, value]) => [`tools.${name}.${field}`, value]),
    ),
  );

const root = (field: string) => field.split(".")[0] ?? field;
const whoMayInvite = (value: Definition["whoMayInvite"]) =>
  value === "anyone" ? invite.anyone : value === "nobody" ? invite.nobody : value.users.join(", ");
const avatar = (value: NonNullable<Definition["avatar"]>) =>
  value.kind === "generated" ? `${diff.drawn} (${value.seed})` : `${diff.uploaded} (${value.id.slice(0, 8)})`;

function flat({ variables, limits, tools, ...plain }: Definition): Map<string, unknown> {
  const under = (name: string, values: Record<string, unknown> | undefined): [string, unknown][] =>
    Object.entries(values ?? {}).map(([key, value]) => [`${name}.${key}`, value]);
  return new Map([
    ...Object.entries(plain),
    ...under("variables", variables),
    ...under("limits", limits),
    ...Object.entries(flatTools(tools ?? {})),
  ]);
}

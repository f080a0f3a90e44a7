/** What the pages of forms know of a definition. */

import type { JsonSchema } from "../../../../migrations/types.ts";
import type { FormView } from "../../../api/forms-views.ts";
import { inClient } from "../../api-path.ts";

export type Form = FormView;
export type Definition = NonNullable<FormView["definition"]>;

/** What the editor begins with; null where the caller may not see it. */
export const editable = (form: Form): Definition | null => form.draft ?? form.definition;

export const formPath = (client: string, form: string, rest = ""): string =>
  `${inClient(client, "forms", form)}${rest}`;

/** A short name out of a title: "Angebot für Kunden" → "angebot_fur_kunden". */
export const shortName = (title: string): string =>
  title
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^[^a-z]+|_+$/g, "")
    .slice(0, 40);

export type { JsonSchema };

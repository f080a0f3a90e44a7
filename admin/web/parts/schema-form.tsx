import { Loader } from "@mantine/core";
import { Suspense } from "react";
import type { JsonSchema } from "../../../migrations/types.ts";
import { lazyPage } from "../load-page.ts";

export interface SchemaFormProps {
  /** Of an object. `x-order` at it names its fields in their order. */
  schema: JsonSchema;
  value?: Record<string, unknown>;
  onChange?: (value: Record<string, unknown>) => void;
  /** Called with values that fit the schema. Without it there is no button, and no `<form>`. */
  onSubmit?: (value: Record<string, unknown>) => void;
  /** What the platform says about single fields: name → sentence. */
  errors?: Record<string, string>;
  submitLabel?: string;
  /** What was sent is under way. */
  busy?: boolean;
  /** Two forms on one page need two. */
  idPrefix?: string;
}

const Drawn = lazyPage<SchemaFormProps>(() => import("./schema/drawn-form.tsx"));

/** A form made of a JSON Schema. What draws it is big, so it is loaded when the first one is shown. */
export function SchemaForm(props: SchemaFormProps) {
  return (
    <Suspense fallback={<Loader size="sm" aria-hidden />}>
      <Drawn {...props} />
    </Suspense>
  );
}

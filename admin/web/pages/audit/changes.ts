/** What differs between before and after, field by field; for people to read. Pure. */
export interface FieldChange {
  /** `limits.tokensPerDay` */
  field: string;
  /** Undefined: it was or is not there. */
  before: string | undefined;
  after: string | undefined;
}

/** A change whose before was not kept shows what was sent. */
export function changesBetween(before: unknown, after: unknown): FieldChange[] {
  const [old, now] = [flat(before), flat(after)];
  const fields = [...new Set([...old.keys(), ...now.keys()])];
  return fields
    .map((field) => ({ field, before: old.get(field), after: now.get(field) }))
    .filter((change) => change.before !== change.after);
}

/** Leaves by their path. Lists stay whole: their places say little. */
function flat(value: unknown, path = "", found = new Map<string, string>()): Map<string, string> {
  if (value === null || value === undefined) {
    if (path) found.set(path, String(value));
    return found;
  }
  if (typeof value === "object" && !Array.isArray(value) && Object.keys(value).length > 0)
    for (const [key, item] of Object.entries(value)) flat(item, path ? `${path}.${key}` : key, found);
  else found.set(path, textOf(value));
  return found;
}

function textOf(value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item !== "object" || item === null))
    return value.map(String).join(", ");
  return typeof value === "object" ? JSON.stringify(value, undefined, 2) : String(value);
}

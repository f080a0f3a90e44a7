/** What the API answers when something does not work: a sentence for people, and what a form needs. */
export class Problem extends Error {
  override name = "Problem";
  /** HTTP status; 0 when nothing answered. */
  readonly status: number;
  readonly code: string;
  readonly title: string;
  /** What happened and what to do. */
  readonly detail: string;
  /** Sentences about single fields. */
  readonly errors: readonly { path: string; message: string }[];
  /** With a conflict: what is there now. */
  readonly current: unknown;

  constructor(facts: {
    status: number;
    code: string;
    title?: string | undefined;
    detail: string;
    errors?: readonly { path: string; message: string }[] | undefined;
    current?: unknown;
  }) {
    super(facts.detail);
    this.status = facts.status;
    this.code = facts.code;
    this.title = facts.title ?? facts.detail;
    this.detail = facts.detail;
    this.errors = facts.errors ?? [];
    this.current = facts.current;
  }
}

/** The sentence for people. */
export const sentenceOf = (error: unknown): string =>
  error instanceof Problem
    ? error.detail
    : "Something in the panel went wrong. Load the page again; if it stays, tell your operator.";

/** For Mantine's `form.setErrors`: field → sentence. A path like `limits.runs` stays as it is. */
export const fieldErrors = (error: unknown): Record<string, string> =>
  error instanceof Problem ? Object.fromEntries(error.errors.map(({ path, message }) => [path, message])) : {};

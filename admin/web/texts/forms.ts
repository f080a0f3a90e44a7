/** What forms say, and the pages of form tools. */
export const formsTexts = {
  title: "Form tools",
  submit: "Send",
  /** What is wrong with a field. */
  wrong: {
    missing: "Fill this in.",
    type: {
      number: "Write a number, like 12 or 3.5.",
      integer: "Write a whole number, like 12.",
      string: "Write a text.",
      boolean: "Choose yes or no.",
      array: "Add one or more.",
    } as Record<string, string>,
    format: {
      date: "Write a date like 2026-03-14.",
      "date-time": "Write a date and a time like 2026-03-14T09:30:00Z.",
      email: "Write a mail address, like ann@example.org.",
      uri: "Write an address that begins with https://.",
      url: "Write an address that begins with https://.",
    } as Record<string, string>,
    keyword: {
      enum: () => "Choose one of what is offered.",
      minimum: (least: string) => `Write a number of ${least} or more.`,
      maximum: (most: string) => `Write a number of ${most} or less.`,
      minLength: (least: string) => `Write at least ${least} characters.`,
      maxLength: (most: string) => `Write at most ${most} characters.`,
      pattern: () => "This is not written in the form that is asked for here.",
      minItems: (least: string) => `Add at least ${least}.`,
      maxItems: (most: string) => `Take at most ${most}.`,
    } as Record<string, (number: string) => string>,
    other: "This is not what is asked for here.",
  },
};

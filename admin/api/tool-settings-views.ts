/** What the API takes and says of tools' settings. Passwords, keys and secrets go in and never come out. */
import { moment, words, z } from "./endpoint.ts";

const neverShown = { description: "Kept encrypted, and never shown again. Left out: as it is; null: none." };
/** Not trimmed: a password may begin with a space. */
const password = z.string().max(1000).nullable().optional().openapi(neverShown);

const mail = {
  host: words(253).openapi({ example: "smtp.example.org" }),
  port: z.number().int().openapi({ example: 465 }),
  secure: z.boolean().openapi({ description: "TLS from the first byte; else STARTTLS where the server has it." }),
  user: words(320).nullable().openapi({ description: "The name to sign in with; null: nobody signs in." }),
  from: words(400).openapi({ example: "Agents of Acme <agents@example.org>" }),
};
const search = {
  kind: z.enum(["searxng", "brave"]),
  url: words(500).nullable().openapi({ description: "Of a SearXNG that answers in JSON; null for Brave." }),
};

export const settingsBody = z.object({
  mail: z
    .object({ ...mail, password })
    .nullable()
    .optional()
    .openapi({ description: "Left out: as it is; null: removed." }),
  search: z
    .object({ ...search, key: z.string().max(4000).nullable().optional().openapi(neverShown) })
    .nullable()
    .optional()
    .openapi({ description: "Left out: as it is; null: removed." }),
  approvalMinutes: z
    .number()
    .int()
    .min(1)
    .max(7 * 24 * 60)
    .nullable()
    .optional()
    .openapi({
      description: "How long a question whether a call may be made waits. Left out: as it is; null: as usual.",
    }),
});
export type SettingsBody = z.output<typeof settingsBody>;

export const settingsView = z
  .object({
    mail: z.object({ ...mail, hasPassword: z.boolean() }).nullable(),
    search: z.object({ ...search, hasKey: z.boolean() }).nullable(),
    approvalMinutes: z.number().int(),
  })
  .openapi("ToolSettings");
export type ToolSettingsView = z.output<typeof settingsView>;

export const mailTestBody = z.object({
  to: words(254).optional().openapi({ description: "Gets a test mail; left out: no mail is sent." }),
});
export const mailTestView = z
  .object({ ok: z.boolean(), text: z.string().openapi({ description: "A sentence: what is right or wrong." }) })
  .openapi("MailTest");
export type MailTestView = z.output<typeof mailTestView>;

export const secretBody = z.object({
  header: words(100).openapi({ example: "Authorization" }),
  hosts: z
    .array(words(260))
    .max(20)
    .openapi({ description: "Where it may go, and nowhere else.", example: ["api.example.org"] }),
  secret: z
    .string()
    .max(4000)
    .optional()
    .openapi({ description: "The header's value. Kept encrypted, and never shown again. Left out: as it is." }),
});

export const secretView = z
  .object({
    name: z.string(),
    header: z.string(),
    hosts: z.array(z.string()),
    createdBy: z.string(),
    createdAt: moment,
  })
  .openapi("ToolSecret");
export type ToolSecretView = z.output<typeof secretView>;

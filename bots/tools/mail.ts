/** Mails of a client's agents: made of checked parts, so that no part can become another, and handed to the client's own mail server. */
import MailComposer from "nodemailer/lib/mail-composer";
import type { GuardOptions } from "../../core/addresses.ts";
import type { Context } from "../../core/context.ts";
import { AppError, sentenceOf } from "../../core/errors.ts";
import { readMailAddress, readMailbox } from "./mail-address.ts";
import { oneLine } from "./one-line.ts";
import type { OpenMail } from "./settings.ts";
import { checkServer, type Delivered, deliverLetter, MailTrouble } from "./smtp.ts";
import { OutcomeUnknown } from "./tool.ts";

export const MOST_RECIPIENTS = 20;
const CHECK_MS = 60_000;

export interface Mail {
  to: string[];
  cc: string[];
  subject: string;
  text: string;
}

type Sending = Pick<GuardOptions, "lookup"> & {
  /** Names the mail: a receiver who gets it twice can tell. */
  id: string;
  signal: AbortSignal;
};

/** Sends a mail. Throws as `deliverLetter` does, and `invalid` for what no mail can be. */
export async function sendMail(ctx: Context, settings: OpenMail, mail: Mail, how: Sending): Promise<Delivered> {
  const { to, cc } = recipientsOf(mail);
  const from = readMailbox(settings.from);
  if (!from)
    throw new AppError(
      "invalid",
      "The mail settings have no address to send from. A manager corrects them under Tools.",
    );
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(mail.subject))
    throw new AppError(
      "invalid",
      "A subject is one line, without line breaks and control characters. Nothing was sent.",
    );
  if (!/^[\w.-]{1,100}$/.test(how.id)) throw new Error("a mail is named by an id of ours");
  const message = new MailComposer({
    from,
    to: to.map((address) => ({ name: "", address })),
    cc: cc.map((address) => ({ name: "", address })),
    subject: mail.subject,
    text: mail.text,
    messageId: `<${how.id}@${from.address.split("@")[1]}>`,
    // RFC 3834: who answers by itself does not answer this.
    headers: { "Auto-Submitted": "auto-generated" },
    date: new Date(ctx.clock.now()),
    disableFileAccess: true,
    disableUrlAccess: true,
    newline: "windows",
  });
  const bytes = await message.compile().build();
  return await deliverLetter(ctx, settings, { to: [...to, ...cc], bytes }, how);
}

/** Each address once, as it is used. Throws `invalid` with the one that is none. */
export function recipientsOf({ to, cc }: Pick<Mail, "to" | "cc">): { to: string[]; cc: string[] } {
  const read = (text: string) => {
    const address = readMailAddress(text.trim());
    if (address) return address;
    throw new AppError(
      "invalid",
      `“${oneLine(text, 100)}” is no mail address. Give each address alone, as ann@example.org. Nothing was sent.`,
    );
  };
  const all = new Set<string>();
  const once = (address: string) => !all.has(address.toLowerCase()) && all.add(address.toLowerCase()) !== undefined;
  const found = { to: to.map(read).filter(once), cc: cc.map(read).filter(once) };
  if (found.to.length === 0) throw new AppError("invalid", "A mail needs somebody to go to. Nothing was sent.");
  if (all.size > MOST_RECIPIENTS)
    throw new AppError("invalid", `A mail goes to at most ${MOST_RECIPIENTS} addresses. Nothing was sent.`);
  return found;
}

/** Tries settings: signs in, and sends a mail to `to` when one is named. A sentence for whoever tries, never an error. */
export async function checkMail(
  ctx: Context,
  settings: OpenMail,
  { to, id, lookup }: { to?: string | undefined; id: string } & Pick<GuardOptions, "lookup">,
): Promise<{ ok: boolean; text: string }> {
  const signal = AbortSignal.timeout(CHECK_MS);
  try {
    if (to === undefined) {
      await checkServer(ctx, settings, { lookup, signal });
      return { ok: true, text: `${settings.host} takes mails from here. No mail was sent.` };
    }
    const mail = {
      to: [to],
      cc: [],
      subject: "A test from Agentopia",
      text: "The mail settings of your agents work.\n",
    };
    const { refused } = await sendMail(ctx, settings, mail, { id, lookup, signal });
    if (refused[0]) return { ok: false, text: `${settings.host} did not take the mail: ${refused[0].why}` };
    return { ok: true, text: `${settings.host} took a test mail to ${to}. Look whether it arrived.` };
  } catch (error) {
    if (error instanceof OutcomeUnknown) return { ok: false, text: error.message };
    if (signal.aborted) return { ok: false, text: `${settings.host} took longer than a minute. Check host and port.` };
    if (error instanceof MailTrouble) return { ok: false, text: error.here };
    if (!(error instanceof AppError)) throw error;
    return { ok: false, text: sentenceOf(error) };
  }
}

/** Conversations with a client's mail server, at an address that the guard has looked at. */
import { Readable } from "node:stream";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import type { GuardOptions } from "../../core/addresses.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { readMailbox } from "./mail-address.ts";
import { oneLine } from "./one-line.ts";
import type { OpenMail } from "./settings.ts";
import { findServer, type Place } from "./smtp-place.ts";
import { OutcomeUnknown } from "./tool.ts";

const CONNECT_MS = 15_000;
const SILENT_MS = 30_000;

export interface Letter {
  to: string[];
  /** The whole message, headers and all. */
  bytes: Buffer;
}

export interface Delivered {
  accepted: string[];
  /** With what the server said. */
  refused: { address: string; why: string }[];
}

/** Signs in and goes: whether the settings are right. Throws an AppError that says why not. */
export async function checkServer(
  ctx: Context,
  settings: OpenMail,
  options: Pick<GuardOptions, "lookup"> & { signal: AbortSignal },
): Promise<void> {
  await conversation(ctx, settings, options, async () => undefined);
}

/**
 * Hands over one letter. Throws an AppError when it certainly did not go, `OutcomeUnknown` when it was on its way as the connection ended, and the
 * signal's reason when it was stopped before.
 */
export async function deliverLetter(
  ctx: Context,
  settings: OpenMail,
  letter: Letter,
  options: Pick<GuardOptions, "lookup"> & { signal: AbortSignal },
): Promise<Delivered> {
  const from = readMailbox(settings.from)?.address ?? "";
  const on = { way: false };
  try {
    return await conversation(ctx, settings, options, async (step) => {
      const envelope = { from, to: letter.to, size: letter.bytes.length, use8BitMime: true };
      const body = watched(letter.bytes, () => {
        on.way = true;
      });
      const info = await step<SentInfo>((connection, done) => connection.send(envelope, body, done as never));
      return {
        accepted: info.accepted,
        refused: (info.rejectedErrors ?? []).map((error) => ({
          address: error.recipient ?? "",
          why: said(error, settings),
        })),
      };
    });
  } catch (error) {
    if (!on.way || isRefusal(error)) throw error;
    throw new OutcomeUnknown(
      "The mail was being handed over when the connection to the mail server ended. It may have gone or not: look before you send it again.",
      { cause: error },
    );
  }
}

interface SentInfo {
  accepted: string[];
  rejectedErrors?: (SmtpError & { recipient?: string })[];
}
type SmtpError = Error & { code?: string; response?: string; responseCode?: number; command?: string };

type Step = <T>(
  begin: (connection: SMTPConnection, done: (error?: Error | null, value?: T) => void) => void,
) => Promise<T>;

async function conversation<T>(
  ctx: Context,
  settings: OpenMail,
  { lookup, signal }: Pick<GuardOptions, "lookup"> & { signal: AbortSignal },
  talk: (step: Step) => Promise<T>,
): Promise<T> {
  const place = await findServer(settings, { allowHosts: ctx.config.allowHosts, lookup });
  signal.throwIfAborted();
  const connection = new SMTPConnection(optionsFor(settings, place));
  // What goes wrong while nobody waits for an answer, as after the end, is nothing to anybody.
  connection.on("error", (error) => ctx.log.debug({ host: settings.host, code: (error as SmtpError).code }, "smtp"));
  const step: Step = (begin) => stepOf(connection, signal, begin);
  try {
    await step((at, done) => at.connect(done));
    if (settings.user !== null)
      await step((at, done) => at.login({ user: settings.user ?? "", pass: settings.password ?? "" }, done));
    const result = await talk(step);
    connection.quit();
    return result;
  } catch (error) {
    connection.close();
    if (signal.aborted) throw signal.reason;
    throw error instanceof AppError ? error : failure(error as SmtpError, settings);
  }
}

const optionsFor = (settings: OpenMail, place: Place) => ({
  host: place.address,
  port: settings.port,
  secure: settings.secure,
  requireTLS: place.requireTLS,
  ignoreTLS: place.ignoreTLS,
  // This machine's own name is nothing for others.
  name: readMailbox(settings.from)?.address.split("@")[1] ?? "localhost",
  connectionTimeout: CONNECT_MS,
  greetingTimeout: CONNECT_MS,
  socketTimeout: SILENT_MS,
  socketCloseTimeout: 1000,
  maxResponseSize: 64_000,
  allowInternalNetworkInterfaces: true,
  ...(place.servername === undefined ? {} : { servername: place.servername }),
});

/** One step, to its answer, to an error of the connection, or until it is stopped. */
function stepOf<T>(
  connection: SMTPConnection,
  signal: AbortSignal,
  begin: (connection: SMTPConnection, done: (error?: Error | null, value?: T) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const finish = (settle: () => void) => {
      connection.off("error", fail).off("end", closed);
      signal.removeEventListener("abort", stopped);
      settle();
    };
    const fail = (error: Error) => finish(() => reject(error));
    const closed = () => fail(Object.assign(new Error("The connection was closed"), { code: "ECONNECTION" }));
    const stopped = () => fail(signal.reason);
    connection.on("error", fail).on("end", closed);
    signal.addEventListener("abort", stopped);
    begin(connection, (error, value) => (error ? fail(error) : finish(() => resolve(value as T))));
  });
}

/** Says when the first byte is asked for: that is after the server said that it takes the letter. */
function watched(bytes: Buffer, begin: () => void): Readable {
  return new Readable({
    read() {
      begin();
      this.push(bytes);
      this.push(null);
    },
  });
}

/** The server's own word on the whole letter (RFC 5321, 4.2.5: after a 4yz or 5yz it does not have it). */
class LetterRefused extends AppError {}
const isRefusal = (error: unknown) => error instanceof LetterRefused;

/**
 * A setting is wrong, or the server is away. People and agents in a room are told who puts it right where; beside the settings themselves `here` says it.
 */
export class MailTrouble extends AppError {
  readonly here: string;

  constructor(happened: string, look: string, options: ErrorOptions = {}) {
    super("invalid", `${happened} Nothing was sent. A manager checks ${look} under Tools → Settings.`, options);
    this.here = `${happened} Nothing was sent. Check ${look}.`;
  }
}

function failure(error: SmtpError, settings: OpenMail): AppError {
  const server = `The mail server ${settings.host}`;
  const because = { cause: error };
  switch (error.code) {
    case "EAUTH":
      // Without its cause, which may repeat what was said to the server.
      return new MailTrouble(`${server} refused the user name or the password.`, "user name and password");
    case "ETLS":
      return new MailTrouble(`${server} has no secure connection that can be trusted.`, "port and security", because);
    case "EENVELOPE":
      return new AppError("invalid", `${server} refused the mail: ${said(error, settings)} Nothing was sent.`, because);
    case "EMESSAGE":
      return new LetterRefused(
        "invalid",
        `${server} refused the mail: ${said(error, settings)} Nothing was sent.`,
        because,
      );
    case "ETIMEDOUT":
      return new AppError("invalid", `${server} did not answer in time. Nothing was sent. Try again later.`, because);
    default:
      return new MailTrouble(
        `${server} cannot be reached, or ended the connection.`,
        "server, port and security",
        because,
      );
  }
}

/** What the server said, as one sentence, without what we said to it. */
function said({ response, message }: SmtpError, { password }: OpenMail): string {
  let text = oneLine(response ?? message, 200);
  for (const secret of password ? [password, Buffer.from(password).toString("base64")] : [])
    text = text.replaceAll(secret, "…");
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

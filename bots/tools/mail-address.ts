/** Mail addresses, strictly: one address, nothing that a mail server could take for two, for a group or for a header. Pure. */
import { domainToASCII } from "node:url";

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const LOCAL = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`);
const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
/** Control characters, line breaks of any kind, and what hides or turns text. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/**
 * The address as it is used: its domain in small ASCII letters. Null for what is no plain `name@domain`: lists, groups, quoted names, comments, addresses in
 * brackets and names beyond ASCII (RFC 5321, 4.1.2, without its quoted strings and literals).
 */
export function readMailAddress(text: string): string | null {
  if (text.length > 254 || UNSEEN.test(text)) return null;
  const at = text.lastIndexOf("@");
  const local = text.slice(0, at);
  if (at < 1 || local.length > 64 || !LOCAL.test(local)) return null;
  const typed = text.slice(at + 1);
  if (!/^[\p{L}\p{M}\p{N}.-]+$/u.test(typed)) return null;
  const domain = domainToASCII(typed).toLowerCase();
  const labels = domain.split(".");
  // One that ends in a number is an IP address.
  if (labels.length < 2 || /^\d+$/.test(labels.at(-1) ?? "") || !labels.every((label) => LABEL.test(label)))
    return null;
  const address = `${local}@${domain}`;
  return address.length > 254 ? null : address;
}

export interface Mailbox {
  name: string;
  address: string;
}

/** `Name <address>`, `"Name" <address>` or an address alone. Null for anything else. */
export function readMailbox(text: string): Mailbox | null {
  if (text.length > 400 || UNSEEN.test(text)) return null;
  const plain = text.trim();
  const [, named = "", within] = /^([^<>]*)<([^<>]+)>$/.exec(plain) ?? [];
  const address = readMailAddress(within === undefined ? plain : within.trim());
  if (!address) return null;
  const name = named.trim().replace(/^"(.*)"$/, "$1");
  return /["\\<>]/.test(name) || name.length > 100 ? null : { name, address };
}

/** What may stand in a client's settings of tools: for people, with a sentence for each field. Nothing here asks a server. */
import ipaddr from "ipaddr.js";
import { bareHost, checkLiteral, isAllowed, parseAddress } from "../../core/addresses.ts";
import { AppError } from "../../core/errors.ts";
import type { MailSettings, SearchSettings } from "../../migrations/types.ts";
import { readMailbox } from "./mail-address.ts";

/** What is wrong, by field; the sentence is that of the first. */
export class SettingError extends AppError {
  readonly fields: Record<string, string>;
  constructor(fields: Record<string, string>) {
    super("invalid", Object.values(fields)[0] ?? "These settings cannot be used.");
    this.name = "SettingError";
    this.fields = fields;
  }
}

type Check = () => string | false | null | undefined;

/** Throws `SettingError` when one of the checks says something; what the guard says of an address is said at its field. */
export function checkFields(checks: Record<string, Check>): void {
  const fields: Record<string, string> = {};
  for (const [field, check] of Object.entries(checks)) {
    const problem = sayingWhy(check);
    if (problem) fields[field] = problem;
  }
  if (Object.keys(fields).length > 0) throw new SettingError(fields);
}

function sayingWhy(check: Check): string | null {
  try {
    return check() || null;
  } catch (error) {
    if (error instanceof AppError && error.code === "address_refused") return error.sentence;
    throw error;
  }
}

/** Visible ASCII and spaces: what a header, a user name and a password may hold without ending what they stand in. */
const PLAIN = /^[\x20-\x7e]*$/;
/** No control characters, no line breaks of any kind. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;

/** A host and port as an address, so that the guard can look at it. Throws `address_refused` for what is no host, or leads where it may not. */
export function hostUrl(host: string, port: number | null, allowHosts: readonly string[]): URL {
  const literal = ipaddr.IPv6.isValid(host) ? `[${host}]` : host;
  if (!/^(?:[^\s/\\?#@:[\]%<>]{1,253}|\[[0-9a-f:.]+\])$/i.test(literal))
    throw new AppError("address_refused", "Write the name of the server alone, as smtp.example.org.");
  const url = parseAddress(`http://${literal}${port === null ? "" : `:${port}`}/`);
  if (!isAllowed(url, allowHosts)) checkLiteral(url);
  return url;
}

export function checkMailSettings(wish: MailSettings & { password?: string | null | undefined }, allowHosts: string[]) {
  const { host, port, user, from, password } = wish;
  const portFits = Number.isInteger(port) && port >= 1 && port <= 65_535;
  checkFields({
    host: () => void hostUrl(host, portFits ? port : null, allowHosts),
    port: () => !portFits && "A port is a number from 1 to 65535; mail servers mostly have 465 or 587.",
    user: () =>
      user !== null && (user === "" || user.length > 320 || CONTROL.test(user)) && "This is no name to sign in with.",
    from: () =>
      !readMailbox(from) && "Write one address, as agents@example.org or Agents of Acme <agents@example.org>.",
    password: () =>
      (password === "" && "Leave the password out, or write one.") ||
      (password &&
        (password.length > 1000 || CONTROL.test(password)) &&
        "This password has characters that no mail server takes.") ||
      (password && user === null && "A password goes with a name to sign in with."),
  });
}

export function checkSearchSettings(
  { kind, url, key }: SearchSettings & { key?: string | null | undefined },
  allowHosts: string[],
) {
  checkFields({
    kind: () => kind !== "searxng" && kind !== "brave" && "This must be searxng or brave.",
    url: () => (kind === "searxng" ? void searchUrl(url, allowHosts) : url !== null && "Brave has its own address."),
    key: () => key !== null && key !== undefined && headerValueProblem(key),
  });
}

function searchUrl(url: string | null, allowHosts: string[]): void {
  if (!url || url.length > 500)
    throw new AppError("address_refused", "Write the address of the SearXNG, as https://search.example.org");
  const parsed = parseAddress(url);
  if (!isAllowed(parsed, allowHosts)) checkLiteral(parsed);
}

/** Headers that say how a message is made or where it goes are no place for a secret (RFC 9110). */
const NOT_OURS =
  /^(host|content-length|content-encoding|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|proxy-.*|sec-.*|forwarded|x-forwarded-.*)$/i;

export interface SecretWish {
  name: string;
  header: string;
  hosts: string[];
  /** Left out: as it is. */
  secret?: string | undefined;
}

export function checkSecret({ name, header, hosts, secret }: SecretWish, allowHosts: string[]) {
  checkFields({
    name: () =>
      !/^[a-z][a-z0-9_-]{0,63}$/.test(name) && "A name has small letters, digits, - and _, and begins with a letter.",
    header: () =>
      (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(header) &&
        "This is no name of a header. Write one like Authorization or X-Api-Key.") ||
      (NOT_OURS.test(header) && `The header ${header} says how a request is sent, and carries no secret.`),
    hosts: () => hostsProblem(hosts, allowHosts),
    secret: () => secret !== undefined && headerValueProblem(secret),
  });
}

function hostsProblem(hosts: string[], allowHosts: string[]): string | null {
  if (hosts.length < 1 || hosts.length > 20) return "Name 1 to 20 hosts to which the secret may go.";
  for (const host of hosts) secretHost(host, allowHosts);
  return null;
}

/** `host` or `host:port`, as it stands in an address. Throws `address_refused`. */
export function secretHost(text: string, allowHosts: readonly string[]): string {
  const [, host = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text.trim()) ?? [];
  if (host === "" || host.includes("*"))
    throw new AppError(
      "address_refused",
      `“${text.slice(0, 100)}” is no host. Write each one alone, as api.example.org.`,
    );
  const url = parseAddress(`https://${host}${port ? `:${port}` : ""}/`);
  if (bareHost(url) === "" || url.pathname !== "/" || url.search !== "" || url.hash !== "")
    throw new AppError(
      "address_refused",
      `“${text.slice(0, 100)}” is no host. Write each one alone, as api.example.org.`,
    );
  if (!isAllowed(url, allowHosts)) checkLiteral(url);
  return url.host;
}

const headerValueProblem = (value: string): string | null =>
  value.trim() === "" || value.length > 4000 || !PLAIN.test(value)
    ? "A secret is one line of 1 to 4000 letters, digits and signs of ASCII."
    : null;

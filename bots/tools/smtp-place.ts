/** Where a client's mail server is: looked up once, looked at by the guard, and how safe a conversation with it has to be. */
import { isIP } from "node:net";
import {
  bareHost,
  checkLiteral,
  checkResolved,
  forbiddenAddress,
  type GuardOptions,
  isAllowed,
  refused,
  resolveAll,
} from "../../core/addresses.ts";
import { hostUrl } from "./setting-checks.ts";
import type { OpenMail } from "./settings.ts";

/** Where a mail server is reached, and how. */
export interface Place {
  /** The one address that was checked, and is connected to. */
  address: string;
  servername: string | undefined;
  /** Without TLS nothing goes out: a password would, or the server is not the operator's own. */
  requireTLS: boolean;
  /** On this machine nobody listens in, and servers have certificates that nobody signed. */
  ignoreTLS: boolean;
}

/**
 * Looks its name up once: what is checked is what is connected to, whatever the name leads to a moment later. Throws `address_refused`.
 */
export async function findServer(
  settings: Pick<OpenMail, "host" | "port" | "secure" | "user">,
  guard: GuardOptions,
): Promise<Place> {
  const { host, port, secure, user } = settings;
  const url = hostUrl(host, port, guard.allowHosts ?? []);
  const name = bareHost(url);
  const allowed = isAllowed(url, guard.allowHosts);
  if (!allowed) checkLiteral(url);
  const addresses = isIP(name)
    ? [{ address: name, family: isIP(name) as 4 | 6 }]
    : await (guard.lookup ?? resolveAll)(name).catch((cause: unknown) => {
        throw refused(`There is no mail server "${name}" that can be found: look whether its name is right.`, cause);
      });
  if (!allowed) checkResolved(name, addresses);
  const address = addresses[0]?.address;
  if (!address) throw refused(`There is no mail server "${name}" that can be found: look whether its name is right.`);
  return { address, servername: isIP(name) ? undefined : name, ...safety({ address, secure, user, allowed }) };
}

/** How much TLS it takes. Pure. */
export function safety(how: { address: string; secure: boolean; user: string | null; allowed: boolean }) {
  const local = forbiddenAddress(how.address) === "loopback" || /^127\.|^::1$/.test(how.address);
  return {
    requireTLS: !how.secure && how.user !== null && !how.allowed && !local,
    ignoreTLS: !how.secure && local,
  };
}

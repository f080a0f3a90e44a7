import type { Context as Request } from "hono";
import { html, raw } from "hono/html";
import QRCode from "qrcode";
import { sendPage } from "./page.ts";

export interface Welcome {
  username: string;
  userId: string;
  tenantId: string;
  tenantTitle: string;
  serverName: string;
  homeserverUrl: string;
  /** Element Web is served by this platform. */
  elementServed: boolean;
}

/**
 * Opens Element X with homeserver and name filled in. It needs HTTPS, so there is none for other homeservers.
 * https://docs.element.io/latest/element-support/mobile-deep-links (account_provider, login_hint)
 */
function elementXLink(person: Pick<Welcome, "homeserverUrl" | "serverName" | "userId">): string | undefined {
  if (!person.homeserverUrl.startsWith("https://")) return undefined;
  const server = encodeURIComponent(person.serverName).replaceAll("%3A", ":");
  const user = person.userId.split(":")[0] ?? "";
  return `https://mobile.element.io/element?account_provider=${server}&login_hint=mxid:${user.replace(/[^@\w.=/-]/g, encodeURIComponent)}:${server}`;
}

/** The account is there: how to sign in with it, from each Element app. */
export async function sendWelcome(c: Request, person: Welcome): Promise<Response> {
  const title = `Welcome, ${person.username}`;
  const phone = elementXLink(person);
  const body = html`<h1>${title}</h1>
<p class="lead">Your account on ${person.tenantTitle} is ready: <code>${person.userId}</code></p>
${person.elementServed ? browser(person) : ""}
<h2>${person.elementServed ? "Or in Element Desktop" : "Sign in with Element"}</h2>
<ol>
<li>${person.elementServed ? "" : html`Open <a href="https://app.element.io/#/login" rel="noreferrer">app.element.io</a> in a browser, or `}${
    person.elementServed ? "Install" : "install"
  } <a href="https://element.io/download" rel="noreferrer">Element Desktop</a>, and choose <strong>Sign in</strong>.</li>
<li>Press <strong>Edit</strong> beside the homeserver, choose <strong>Other homeserver</strong> and type <code>${person.homeserverUrl}</code></li>
<li>Sign in with the user name <code>${person.username}</code> and your password.</li>
</ol>
${phone ? await onPhone(phone) : html`<p class="hint">Element X on a phone needs a homeserver with an https address; this one has none.</p>`}`;
  return sendPage(c, 200, { title, body });
}

const browser = (person: Welcome) =>
  html`<p>Sign in with the user name <code>${person.username}</code> and your password.</p>
<a class="button" href="/element/${person.tenantId}/#/login">Open Element in this browser</a>`;

async function onPhone(link: string) {
  const svg = await QRCode.toString(link, { type: "svg", margin: 1, errorCorrectionLevel: "M" });
  return html`<h2>On your phone</h2>
<p>Install <strong>Element X</strong> from the app store, then open <a href="${link}" rel="noreferrer">this link</a> on the phone, or point its camera here:</p>
<div class="qr" role="img" aria-label="QR code of the link for Element X">${raw(svg)}</div>`;
}

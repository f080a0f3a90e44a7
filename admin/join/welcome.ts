import type { Context as Request } from "hono";
import { html, raw } from "hono/html";
import QRCode from "qrcode";
import { sendPage } from "./page.ts";
import type { Place } from "./place.ts";

export interface Welcome {
  username: string;
  userId: string;
  tenantId: string;
  tenantTitle: string;
  serverName: string;
  homeserverUrl: string;
  /** Element Web is served by this platform. */
  elementServed: boolean;
  place: Place;
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

/** The account is there: how to sign in with it from each Element app, who is there, and the panel for whoever has a role. */
export async function sendWelcome(c: Request, person: Welcome): Promise<Response> {
  const title = `Welcome, ${person.username}`;
  const phone = elementXLink(person);
  const { team, panel } = person.place;
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
${phone ? await onPhone(phone) : html`<p class="hint">Element X on a phone needs a homeserver with an https address; this one has none.</p>`}
${team ? inTeam(team) : ""}
${panel ? toPanel(panel, person.userId) : ""}`;
  return sendPage(c, 200, { title, body });
}

/** What to look for in the chat app, and how to ask. */
function inTeam({ name, rooms, agents }: NonNullable<Place["team"]>) {
  const [first] = agents;
  return html`<h2>Your team ${name}</h2>
${rooms.length > 0 ? html`<p>You are in its rooms: ${strong(rooms)}.</p>` : html`<p>It has no rooms yet. They come into your app by themselves.</p>`}
${
  first
    ? html`<p>${agents.length === 1 ? "This agent answers" : "These agents answer"} there: ${strong(agents.map((agent) => agent.name))}.</p>
<p>In <strong>${first.room}</strong> write <strong>@${first.name}</strong> and your question.</p>`
    : ""
}`;
}

const strong = (names: readonly string[]) =>
  names.map((name, index) => html`${index > 0 ? ", " : ""}<strong>${name}</strong>`);

const IN_PANEL = {
  owner: "There you make teams and agents, invite people, and say who else may.",
  manager: "There you make teams and agents, and invite people.",
  auditor: "There you read what was done, what agents answered, and what it used.",
};

const toPanel = ({ url, role }: NonNullable<Place["panel"]>, userId: string) =>
  html`<h2>Your panel</h2>
<p>You are ${role === "manager" ? "a" : "an"} ${role} here. ${IN_PANEL[role]}</p>
<p>Sign in with the name <code>${userId}</code> and the same password.</p>
<a class="button" href="${url}">Open the panel</a>`;

const browser = (person: Welcome) =>
  html`<p>Sign in with the user name <code>${person.username}</code> and your password.</p>
<a class="button" href="/element/${person.tenantId}/#/login">Open Element in this browser</a>`;

async function onPhone(link: string) {
  const svg = await QRCode.toString(link, { type: "svg", margin: 1, errorCorrectionLevel: "M" });
  return html`<h2>On your phone</h2>
<p>Install <strong>Element X</strong> from the app store, then open <a href="${link}" rel="noreferrer">this link</a> on the phone, or point its camera here:</p>
<div class="qr" role="img" aria-label="QR code of the link for Element X">${raw(svg)}</div>`;
}

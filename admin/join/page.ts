import { randomBytes } from "node:crypto";
import type { Context as Request } from "hono";
import { html, raw } from "hono/html";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { passwordProblem } from "../../homeserver/accounts.ts";
import type { FieldProblems } from "../accept-invite.ts";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";

type Html = ReturnType<typeof html>;

/** Sends a whole page. Nothing on it comes from elsewhere, it is kept nowhere, and its address is told to nobody. */
export function sendPage(
  c: Request,
  status: ContentfulStatusCode,
  page: { title: string; body: Html; script?: string | undefined },
): Response | Promise<Response> {
  const nonce = randomBytes(16).toString("base64");
  c.header(
    "content-security-policy",
    [
      "default-src 'none'",
      `style-src 'nonce-${nonce}'`,
      ...(page.script ? [`script-src 'nonce-${nonce}'`, "connect-src 'self'"] : []),
      "img-src data:",
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
  );
  c.header("cache-control", "no-store");
  c.header("referrer-policy", "no-referrer");
  c.header("x-content-type-options", "nosniff");
  c.header("x-frame-options", "DENY");
  c.header("x-robots-tag", "noindex");
  return c.html(
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${page.title}</title>
<style nonce="${nonce}">${raw(STYLE)}</style>
</head>
<body>
<main>${page.body}</main>
${page.script ? html`<script nonce="${nonce}">${raw(page.script)}</script>` : ""}
</body>
</html>`,
    status,
  );
}

/** A page with a heading and a sentence. */
export const sendMessage = (c: Request, status: ContentfulStatusCode, title: string, sentence: string) =>
  sendPage(c, status, { title, body: html`<h1>${title}</h1><p>${sentence}</p>` });

export interface JoinForm {
  tenantTitle: string;
  team: string | null;
  serverName: string;
  /** The one name the link is for. */
  onlyName: string | null;
  /** What was typed before. */
  username: string;
  problems: FieldProblems;
  /** Why it did not work when that is neither field's fault. */
  trouble?: string | undefined;
}

/** The form. It posts to its own address, so it works under whatever name the page was reached. */
export function sendForm(c: Request, status: ContentfulStatusCode, form: JoinForm): Response | Promise<Response> {
  const title = `Join ${form.tenantTitle}`;
  const where = form.team ? html`You are invited to the team <strong>${form.team}</strong>.` : "You are invited.";
  const body = html`<h1>${title}</h1>
<p class="lead">${where} Choose a user name and a password for your account on ${form.serverName}.</p>
${form.trouble ? html`<p class="banner" role="alert">${form.trouble}</p>` : ""}
<form method="post">
<label for="username">User name</label>
<div class="field"><input id="username" name="username" value="${form.onlyName ?? form.username}" ${form.onlyName ? "readonly" : ""}
 required maxlength="200" autocomplete="username" autocapitalize="none" autocorrect="off" spellcheck="false"
 aria-describedby="username-error username-hint" ${invalid(form.problems.username)}></div>
<p class="error" id="username-error" aria-live="polite">${form.problems.username ?? ""}</p>
<p class="hint" id="username-hint">Small letters, digits, dots, dashes and underscores. Others see you as @name:${form.serverName}</p>
<label for="password">Password</label>
<div class="field"><input id="password" name="password" type="password" required maxlength="512"
 autocomplete="new-password" aria-describedby="password-error password-hint" ${invalid(form.problems.password)}></div>
<p class="error" id="password-error" aria-live="polite">${form.problems.password ?? ""}</p>
<p class="hint" id="password-hint"><span class="rule">${passwordProblem("")}</span> You sign in with it later, so keep it somewhere safe.</p>
<button type="submit">Create account</button>
</form>`;
  return sendPage(c, status, { title, body, script: SCRIPT });
}

const invalid = (problem: string | undefined) => (problem ? raw('aria-invalid="true"') : "");

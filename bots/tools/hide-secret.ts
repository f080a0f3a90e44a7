/** Takes a secret out of a text, as it is and as servers write it when they send it back. Pure. */
export function hideSecret(text: string, secret: string): string {
  let clean = text;
  for (const form of formsOf(secret)) clean = clean.replaceAll(form, "[secret]");
  return clean;
}

/** The longest comes first, so that nothing of it is left over. */
export function formsOf(secret: string): string[] {
  const credential = /^[A-Za-z][A-Za-z-]* +(\S.*)$/.exec(secret)?.[1];
  const basic = /^basic /i.test(secret) && credential ? Buffer.from(credential, "base64").toString() : undefined;
  const password = basic?.slice(basic.indexOf(":") + 1);
  const raw = [secret, credential, basic, password].filter((one) => one !== undefined && one !== "") as string[];
  const forms = raw.flatMap((one) => [
    one,
    encodeURIComponent(one),
    JSON.stringify(one).slice(1, -1),
    JSON.stringify(one).slice(1, -1).replaceAll("/", "\\/"),
    one.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;"),
    Buffer.from(one).toString("base64"),
    Buffer.from(one).toString("base64url"),
    Buffer.from(one).toString("hex"),
  ]);
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}

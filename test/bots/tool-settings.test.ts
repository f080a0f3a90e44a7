import { expect, test } from "vitest";
import { mayGoTo, openToolSecret, putToolSecret } from "../../bots/tools/secrets.ts";
import { SettingError } from "../../bots/tools/setting-checks.ts";
import {
  type MailWish,
  readToolSettings,
  type SearchWish,
  saveMail,
  saveSearch,
  saveToolSettings,
  shownToolSettings,
} from "../../bots/tools/settings.ts";
import { testContext } from "../harness/postgres.ts";
import { ALICE, makeTenant, TENANT } from "./tenant.ts";

async function setUp(allow = "") {
  const ctx = await testContext({ env: { AGENTOPIA_ALLOW_HOSTS: allow } });
  await makeTenant(ctx);
  return ctx;
}

const MAIL: MailWish = {
  host: "smtp.example.org",
  port: 465,
  secure: true,
  user: "agents",
  from: "agents@example.org",
  password: "very hidden",
};
const SEARCH: SearchWish = { kind: "searxng", url: "https://search.example.org/", key: "key-1" };

const fieldsOf = async (work: Promise<unknown>): Promise<string[]> => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SettingError);
  const { fields } = error as SettingError;
  for (const sentence of Object.values(fields)) expect(sentence).toMatch(/^[A-Z“"].*[.?]$|example\.org$/s);
  return Object.keys(fields);
};

test("settings are kept sealed, opened for tools, and shown without what is secret", async () => {
  const ctx = await setUp();
  await saveToolSettings(ctx, TENANT, { mail: MAIL, search: SEARCH });
  expect(await readToolSettings(ctx, TENANT)).toEqual({
    mail: MAIL,
    search: { kind: "searxng", url: "https://search.example.org", key: "key-1" },
  });
  const shown = await shownToolSettings(ctx, TENANT);
  expect(shown).toMatchObject({ mail: { hasPassword: true }, search: { hasKey: true } });
  const [row] = await ctx.sql`select * from tool_settings`;
  for (const text of [JSON.stringify(shown), JSON.stringify(row)]) expect(text).not.toMatch(/very hidden|key-1/);
});

test("a sealed password that is copied into another client's row does not open", async () => {
  const ctx = await setUp();
  await saveMail(ctx, TENANT, MAIL);
  await ctx.sql`insert into tenants (id, title, server_name, driver, homeserver_url, config, secrets, hs_token_hash, control_user_id)
    select 'rival', 'Rival', 'rival.test', driver, homeserver_url, config, secrets, 'other', control_user_id from tenants`;
  await ctx.sql`insert into tool_settings (tenant_id, mail, mail_password) select 'rival', mail, mail_password from tool_settings`;
  await expect(readToolSettings(ctx, "rival")).rejects.toMatchObject({ code: "setup" });
});

test("null removes, and what is left out stays", async () => {
  const ctx = await setUp();
  await saveToolSettings(ctx, TENANT, { mail: MAIL, search: SEARCH });
  await saveToolSettings(ctx, TENANT, { mail: null });
  expect(await shownToolSettings(ctx, TENANT)).toMatchObject({ mail: null, search: { hasKey: true } });
  const [row] = await ctx.sql`select mail_password from tool_settings`;
  expect(row?.mail_password).toBeNull();
});

test("both are saved or neither", async () => {
  const ctx = await setUp();
  const work = saveToolSettings(ctx, TENANT, { mail: MAIL, search: { ...SEARCH, url: "http://127.0.0.1/" } });
  expect(await fieldsOf(work)).toEqual(["search.url"]);
  expect(await shownToolSettings(ctx, TENANT)).toEqual({ mail: null, search: null, approvalMinutes: 30 });
});

test("a password that is left out stays the old one while it goes to the same server", async () => {
  const ctx = await setUp();
  const { password: _password, ...same } = MAIL;
  await saveMail(ctx, TENANT, MAIL);
  await saveMail(ctx, TENANT, { ...same, from: "Others <others@example.org>" });
  expect((await readToolSettings(ctx, TENANT)).mail).toMatchObject({ password: "very hidden" });
  for (const change of [{ host: "smtp.evil.test" }, { port: 25 }, { user: "somebody" }, { secure: false }])
    expect(await fieldsOf(saveMail(ctx, TENANT, { ...same, ...change }))).toEqual(["password"]);
  await saveMail(ctx, TENANT, { ...same, user: null });
  expect((await readToolSettings(ctx, TENANT)).mail).toMatchObject({ user: null, password: null });
});

test("so does a key of the search", async () => {
  const ctx = await setUp();
  await saveSearch(ctx, TENANT, SEARCH);
  await saveSearch(ctx, TENANT, { kind: "searxng", url: "https://search.example.org" });
  expect((await readToolSettings(ctx, TENANT)).search?.key).toBe("key-1");
  for (const wish of [
    { kind: "brave" as const, url: null },
    { kind: "searxng" as const, url: "https://evil.test" },
  ])
    expect(await fieldsOf(saveSearch(ctx, TENANT, wish))).toEqual(["key"]);
});

test.each<[string, Partial<MailWish>, string]>([
  ["no host", { host: "" }, "host"],
  ["an address for a host", { host: "https://smtp.example.org" }, "host"],
  ["a host with a port", { host: "smtp.example.org:25" }, "host"],
  ["a line break in the host", { host: "smtp.example.org\r\nX: y" }, "host"],
  ["this machine", { host: "127.0.0.1" }, "host"],
  ["this machine by name", { host: "localhost" }, "host"],
  ["this machine as a number", { host: "2130706433" }, "host"],
  ["this machine in hex", { host: "0x7f000001" }, "host"],
  ["this machine in octal", { host: "0177.0.0.1" }, "host"],
  ["this machine in IPv6", { host: "::1" }, "host"],
  ["this machine, mapped", { host: "::ffff:127.0.0.1" }, "host"],
  ["a private network", { host: "10.1.2.3" }, "host"],
  ["metadata", { host: "169.254.169.254" }, "host"],
  ["no port", { port: 0 }, "port"],
  ["a port too high", { port: 65_536 }, "port"],
  ["a half port", { port: 25.5 }, "port"],
  ["an empty user", { user: "" }, "user"],
  ["a line break in the user", { user: "a\r\nQUIT" }, "user"],
  ["a sender that is none", { from: "agents" }, "from"],
  ["two senders", { from: "a@example.org, b@example.org" }, "from"],
  ["a line break in the sender", { from: "A\r\nBcc: e@evil.test <a@example.org>" }, "from"],
  ["an empty password", { password: "" }, "password"],
  ["a line break in the password", { password: "a\r\nb" }, "password"],
  ["a password without a user", { user: null }, "password"],
])("mail: %s", async (_name, change, field) => {
  const ctx = await setUp();
  expect(await fieldsOf(saveMail(ctx, TENANT, { ...MAIL, ...change }))).toEqual([field]);
});

test("what the operator allowed may be local", async () => {
  const ctx = await setUp("127.0.0.1:2525,search.inside:8080");
  await saveMail(ctx, TENANT, { ...MAIL, host: "127.0.0.1", port: 2525 });
  await saveSearch(ctx, TENANT, { kind: "searxng", url: "http://search.inside:8080" });
  expect(await fieldsOf(saveMail(ctx, TENANT, { ...MAIL, host: "127.0.0.1", port: 25 }))).toEqual(["host"]);
});

test.each<[string, Partial<SearchWish>, string]>([
  ["no address", { url: null }, "url"],
  ["no web address", { url: "ftp://search.example.org" }, "url"],
  ["this machine", { url: "http://[::1]:8080/" }, "url"],
  ["this machine, mapped", { url: "http://[::ffff:127.0.0.1]/" }, "url"],
  ["this machine as a number", { url: "http://2130706433/" }, "url"],
  ["a private network", { url: "http://192.168.0.1/" }, "url"],
  ["a name and password", { url: "https://a:b@search.example.org/" }, "url"],
  ["a line break in the key", { key: "a\r\nX: y" }, "key"],
  ["an address for Brave", { kind: "brave", url: "https://search.example.org" }, "url"],
])("search: %s", async (_name, change, field) => {
  const ctx = await setUp();
  expect(await fieldsOf(saveSearch(ctx, TENANT, { ...SEARCH, ...change }))).toEqual([field]);
});

const SECRET = { name: "crm", header: "Authorization", hosts: ["api.example.org"], secret: "Bearer abc", by: ALICE };

test.each<[string, Record<string, unknown>, string]>([
  ["a name with spaces", { name: "my crm" }, "name"],
  ["a header with a colon", { header: "X: y" }, "header"],
  ["a line break in the header", { header: "X\r\nY" }, "header"],
  ["a header that says how long a request is", { header: "Content-Length" }, "header"],
  ["a header that says where it goes", { header: "host" }, "header"],
  ["no hosts", { hosts: [] }, "hosts"],
  ["any host", { hosts: ["*"] }, "hosts"],
  ["a host with stars", { hosts: ["*.example.org"] }, "hosts"],
  ["a path", { hosts: ["api.example.org/x"] }, "hosts"],
  ["a user", { hosts: ["a@api.example.org"] }, "hosts"],
  ["this machine", { hosts: ["127.0.0.1:8080"] }, "hosts"],
  ["this machine as a number", { hosts: ["2130706433"] }, "hosts"],
  ["this machine, mapped", { hosts: ["[::ffff:7f00:1]"] }, "hosts"],
  ["an empty secret", { secret: " " }, "secret"],
  ["a line break in the secret", { secret: "abc\r\nX: y" }, "secret"],
  ["no secret at all", { secret: undefined }, "secret"],
])("secret: %s", async (_name, change, field) => {
  const ctx = await setUp();
  expect(await fieldsOf(putToolSecret(ctx, TENANT, { ...SECRET, ...change }))).toEqual([field]);
});

test("a secret goes to its hosts only, and to new ones only when somebody knows it", async () => {
  const ctx = await setUp();
  await putToolSecret(ctx, TENANT, { ...SECRET, hosts: ["API.example.org", "api.example.org:8443"] });
  const open = await openToolSecret(ctx, TENANT, "crm");
  expect(open).toMatchObject({
    value: "Bearer abc",
    header: "Authorization",
    hosts: ["api.example.org", "api.example.org:8443"],
  });
  const goes = (address: string) => mayGoTo(open, new URL(address), []);
  expect(goes("https://api.example.org/x")).toBe(true);
  expect(goes("https://api.example.org:8443/x")).toBe(true);
  for (const address of [
    "http://api.example.org/",
    "https://api.example.org:444/",
    "https://evil.test/",
    "https://api.example.org.evil.test/",
    "https://api.example.org@evil.test/",
  ])
    expect(goes(address)).toBe(false);
  const { secret: _secret, ...same } = SECRET;
  await putToolSecret(ctx, TENANT, { ...same, hosts: ["api.example.org"] });
  expect((await openToolSecret(ctx, TENANT, "crm")).value).toBe("Bearer abc");
  expect(await fieldsOf(putToolSecret(ctx, TENANT, { ...same, hosts: ["evil.test"] }))).toEqual(["secret"]);
  await expect(openToolSecret(ctx, TENANT, "none")).rejects.toMatchObject({ code: "not_found" });
});

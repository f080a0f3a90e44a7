/** Users of a tenant's homeserver: agents (made as appservice users) and people (made with the shared secret). */
import { createHmac } from "node:crypto";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { AGENT_PREFIX, CONTROL_LOCALPART, type TenantAccess, tenantAccess } from "./access.ts";
import { call, callWith, errcodeOf, pathOf } from "./http.ts";
import { ensureDevice, uploadMedia } from "./matrix.ts";
import { passwordProblem } from "./passwords.ts";

export { passwordProblem } from "./passwords.ts";

const CLIENT = "/_matrix/client/v3";

/** A user's picture: PNG or JPEG. Without `replace` one that is there stays. */
export interface Picture {
  bytes: Uint8Array;
  contentType: string;
  replace: boolean;
}

/** Makes an agent's user with its device, name and face, or completes what is missing of them. Returns its user id. */
export async function registerAgentUser(
  ctx: Context,
  agent: { tenantId: string; localpart: string; displayName: string; deviceId: string; picture?: Picture | undefined },
): Promise<string> {
  const { tenantId, localpart, displayName, deviceId, picture } = agent;
  if (!localpart.startsWith(AGENT_PREFIX)) throw new AppError("internal", `${localpart} is not an agent's name.`);
  const userId = await registerAppserviceUser(await tenantAccess(ctx, tenantId), localpart);
  await ensureDevice(ctx, { tenantId, userId, deviceId });
  await setProfile(ctx, { tenantId, userId, displayName, picture });
  return userId;
}

/** Registers a user in our namespace, without a device. One that exists stays. Returns its user id. */
export async function registerAppserviceUser(access: TenantAccess, localpart: string): Promise<string> {
  try {
    await callWith(access, {
      method: "POST",
      path: `${CLIENT}/register`,
      body: { type: "m.login.application_service", username: localpart, inhibit_login: true },
    });
  } catch (error) {
    if (errcodeOf(error) !== "M_USER_IN_USE") throw error;
  }
  return `@${localpart}:${access.serverName}`;
}

/** Sets the display name where it differs, and the picture where there is none or it is to be replaced. */
export async function setProfile(
  ctx: Context,
  who: { tenantId: string; userId: string; displayName: string; picture?: Picture | undefined },
): Promise<void> {
  const { tenantId, userId, displayName, picture } = who;
  const path = CLIENT + pathOf("profile", userId);
  const profile = await call<{ displayname?: string; avatar_url?: string }>(ctx, tenantId, {
    method: "GET",
    path,
    as: userId,
  }).catch((error) => {
    if (errcodeOf(error) === "M_NOT_FOUND") return {} as { displayname?: string; avatar_url?: string };
    throw error;
  });
  if (profile.displayname !== displayName)
    await call(ctx, tenantId, {
      method: "PUT",
      path: `${path}/displayname`,
      as: userId,
      body: { displayname: displayName },
    });
  if (!picture || (profile.avatar_url && !picture.replace)) return;
  const mxc = await uploadMedia(ctx, {
    tenantId,
    as: userId,
    bytes: picture.bytes,
    contentType: picture.contentType,
    filename: picture.contentType === "image/jpeg" ? "avatar.jpg" : "avatar.png",
  });
  await call(ctx, tenantId, { method: "PUT", path: `${path}/avatar_url`, as: userId, body: { avatar_url: mxc } });
}

/** Ends a user for good: it leaves its rooms and cannot come back; what it wrote stays. One that is not there is ended already. */
export async function deactivateUser(
  ctx: Context,
  { tenantId, userId }: { tenantId: string; userId: string },
): Promise<void> {
  await call(ctx, tenantId, {
    method: "POST",
    path: `/_synapse/admin/v1/deactivate${pathOf(userId)}`,
    body: { erase: false },
  }).catch((error) => {
    if (errcodeOf(error) !== "M_NOT_FOUND") throw error;
  });
}

/**
 * Makes a person's account; `displayName` is the name that others see (the user name where there is none). Never changes one that
 * exists: then it throws `conflict`. Throws `invalid` for a bad name or password.
 */
export async function createPerson(
  ctx: Context,
  { tenantId, username, password, displayName }: NewPerson & { tenantId: string },
): Promise<string> {
  const access = await tenantAccess(ctx, tenantId);
  const problem = usernameProblem(username, access.serverName) ?? passwordProblem(password, [username, displayName]);
  if (problem) throw new AppError("invalid", problem);
  return await registerWithSecret(access, { username, password, displayName });
}

interface NewPerson {
  username: string;
  password: string;
  displayName?: string | null | undefined;
}

/**
 * Registers with the shared secret, without a device (Synapse: docs/admin_api/register_api.md). Returns the user id.
 * Throws `conflict` when the name is taken, `invalid` when Synapse does not take it.
 */
async function registerWithSecret(
  access: TenantAccess,
  { username, password, displayName }: NewPerson,
): Promise<string> {
  const path = "/_synapse/admin/v1/register";
  const { nonce } = await callWith<{ nonce: string }>(access, { method: "GET", path, as: null });
  const mac = createHmac("sha1", access.registrationSharedSecret)
    .update([nonce, username, password, "notadmin"].join("\0"))
    .digest("hex");
  try {
    const name = displayName ? { displayname: displayName } : {};
    const body = { nonce, username, password, ...name, admin: false, mac, inhibit_login: true };
    return (await callWith<{ user_id: string }>(access, { method: "POST", path, as: null, body })).user_id;
  } catch (error) {
    const errcode = errcodeOf(error);
    if (errcode === "M_USER_IN_USE")
      throw new AppError("conflict", `The name ${username} is taken. Choose another one.`, { cause: error });
    if (errcode === "M_INVALID_USERNAME" || errcode === "M_EXCLUSIVE")
      throw new AppError("invalid", `The name ${username} cannot be used here. Choose another one.`, { cause: error });
    throw error;
  }
}

/** Whether this is the person's password. Signs in for that and out again. */
export async function checkPassword(
  ctx: Context,
  { tenantId, username, password }: { tenantId: string; username: string; password: string },
): Promise<boolean> {
  const access = await tenantAccess(ctx, tenantId);
  try {
    const { access_token } = await callWith<{ access_token: string }>(access, {
      method: "POST",
      path: `${CLIENT}/login`,
      as: null,
      body: { type: "m.login.password", identifier: { type: "m.id.user", user: username }, password },
    });
    await callWith(access, { method: "POST", path: `${CLIENT}/logout`, token: access_token, body: {} });
    return true;
  } catch (error) {
    if (errcodeOf(error) === "M_FORBIDDEN" || errcodeOf(error) === "M_USER_DEACTIVATED") return false;
    throw error;
  }
}

/** What is wrong with a person's user name, as a sentence; null when nothing is. Matrix spec, "User identifiers". */
export function usernameProblem(name: string, serverName: string): string | null {
  if (name === "") return "Choose a user name.";
  if (/[A-Z]/.test(name)) return "A user name has small letters only.";
  if (!/^[a-z0-9._-]+$/.test(name))
    return "A user name is made of the letters a to z, digits, dots, dashes and underscores.";
  if (name.startsWith("_")) return "A user name cannot begin with an underscore.";
  if (/^\d+$/.test(name)) return "A user name needs at least one letter.";
  if (name === CONTROL_LOCALPART || name.startsWith(AGENT_PREFIX))
    return `Names like "${name}" are kept for agents. Choose another one.`;
  if (name.length > 64 || `@${name}:${serverName}`.length > 255)
    return "This user name is too long: 64 letters are enough.";
  return null;
}

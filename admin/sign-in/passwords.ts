/** Operators' passwords: argon2id with OWASP's figures (19 MiB, 2 passes, 1 lane), few at once, for each takes its memory. */
import { hash, verify } from "@node-rs/argon2";
import { AppError } from "../../core/errors.ts";
import { newToken } from "../../core/ids.ts";
import { passwordProblem } from "../../homeserver/passwords.ts";

/** Algorithm: 2 is argon2id. */
const COST = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const AT_ONCE = 3;
const MOST_WAITING = 60;
const LEAST_LENGTH = 10;

/** What is wrong with an operator's password, as a sentence; null when nothing is. */
export function operatorPasswordProblem(password: string, name: string): string | null {
  if ([...password].length < LEAST_LENGTH) return `An operator's password has at least ${LEAST_LENGTH} characters.`;
  return passwordProblem(password, [name]);
}

export const hashPassword = (password: string): Promise<string> => oneOfFew(() => hash(password, COST));

/** A hash that nobody knows the password of: unknown names cost the same work as known ones. */
let nobody: Promise<string> | undefined;

/** Whether it is the password behind the hash. Without a hash the same work is done, and the answer is no. */
export async function verifyPassword(kept: string | null, password: string): Promise<boolean> {
  if (password.length > 512) return false;
  nobody ??= hashPassword(newToken());
  const against = kept ?? (await nobody);
  const right = await oneOfFew(() => verify(against, password));
  return right && kept !== null;
}

let running = 0;
const waiting: (() => void)[] = [];

async function oneOfFew<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) {
    if (waiting.length >= MOST_WAITING)
      throw new AppError("too_many", "Too many people sign in at this moment. Please try again in a few seconds.", {
        retryAfterMs: 3_000,
      });
    await new Promise<void>((go) => waiting.push(go)); // whoever ends hands its place over
  } else running++;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

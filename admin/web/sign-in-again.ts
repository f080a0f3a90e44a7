/** Between api.ts, which meets a session that ended, and the dialog that asks to sign in again over the page. */
type Ask = () => Promise<boolean>;

let ask: Ask | undefined;
let asking: Promise<boolean> | undefined;

/** The dialog says how it is opened. */
export function onSignInAgain(open: Ask | undefined): void {
  ask = open;
}

/** Resolves true when the same person has signed in again. All requests that wait share one question. */
export function signInAgain(): Promise<boolean> {
  if (!ask) return Promise.resolve(false);
  asking ??= ask().finally(() => {
    asking = undefined;
  });
  return asking;
}

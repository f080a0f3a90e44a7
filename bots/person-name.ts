/** `@ann:acme.example` and `operator:ann` are both called ann where nothing better is known. */
export const nameIn = (userId: string): string =>
  (userId.startsWith("@") ? userId.slice(1).split(":")[0] : userId.slice(userId.indexOf(":") + 1)) || userId;

const part = encodeURIComponent;

/** Addresses of the API, below `/api/v1`; what stands in them may hold any character. */
export const inClient = (client: string, ...rest: string[]): string =>
  ["/clients", ...[client, ...rest].map(part)].join("/");

/** The same list of one client, or of all. */
export const ofClientOrAll = (client: string | null, list: string): string =>
  client === null ? `/${list}` : inClient(client, list);

/** Networks that only this machine or this house can reach: nothing on matrix.to leads a person there. */
const PRIVATE = [
  /^(.+\.)?(localhost|local|internal)$/,
  /^(127|10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01]))(\.\d+)+$/,
  /^0\.0\.0\.0$|^\[(::1?|f[cd].*|fe80:.*)\]$/,
  /^[^.[]+$/,
];

/**
 * Pure: where a matrix.to link of a room or message is best opened: in the platform's own Element where it is
 * served, else as it is; null where a homeserver has no address that the link could lead to.
 */
export function chatAddress(
  link: string,
  { elementUrl, homeserverUrl }: { elementUrl: string | null; homeserverUrl: string },
): string | null {
  const [, place] = /^https:\/\/matrix\.to\/#\/(.+)$/.exec(link) ?? [];
  if (elementUrl !== null && place !== undefined) return `${elementUrl}#/room/${place}`;
  if (!URL.canParse(homeserverUrl)) return link;
  const { hostname } = new URL(homeserverUrl);
  return PRIVATE.some((network) => network.test(hostname)) ? null : link;
}

/** Every route of the API and the right that it asks for, written down a second time. */
export const KNOWN: Record<string, string> = {
  "GET /events": "signed_in",
};

/** Every route of the API and the right that it asks for, written down a second time. */
export const KNOWN: Record<string, string> = {
  "GET /events": "signed_in",
  "POST /clients/{client}/agents/{agent}/try": "agents.try",
  "POST /clients/{client}/try/{chat}/messages": "agents.try",
  "POST /clients/{client}/try/{chat}/stop": "agents.try",
  "GET /clients/{client}/try/{chat}/events": "agents.try",
};

/** Addresses of the pages, below `/panel`. */
const part = encodeURIComponent;
const inClient = (client: string | null, page: string) => (client === null ? `/${page}` : `/c/${part(client)}/${page}`);

export const to = {
  home: (client: string | null = null) => (client === null ? "/" : `/c/${part(client)}`),
  clients: () => "/clients",
  homeserver: (client: string) => inClient(client, "homeserver"),
  people: (client: string) => inClient(client, "people"),
  person: (client: string, user: string) => `${inClient(client, "people")}/${part(user)}`,
  invites: (client: string) => inClient(client, "invites"),
  teams: (client: string) => inClient(client, "teams"),
  room: (client: string, room: string) => `${inClient(client, "rooms")}/${part(room)}`,
  agents: (client: string) => inClient(client, "agents"),
  agent: (client: string, agent: string) => `${inClient(client, "agents")}/${part(agent)}`,
  templates: (client: string) => inClient(client, "templates"),
  forms: (client: string) => inClient(client, "forms"),
  form: (client: string, form: string) => `${inClient(client, "forms")}/${part(form)}`,
  models: (client: string | null) => inClient(client, "models"),
  tools: (client: string) => inClient(client, "tools"),
  approvals: (client: string) => inClient(client, "approvals"),
  schedules: (client: string) => inClient(client, "schedules"),
  files: (client: string) => inClient(client, "files"),
  runs: (client: string | null) => inClient(client, "runs"),
  run: (client: string, run: string) => `${inClient(client, "runs")}/${part(run)}`,
  usage: (client: string | null) => inClient(client, "usage"),
  audit: (client: string | null) => inClient(client, "audit"),
  account: () => "/account",
  operators: () => "/operators",
};

/** Every page of the panel: its address, the right that it needs, its code (loaded when it is opened). */
import type { Action } from "../rights.ts";
import { type LazyPage, lazyPage } from "./load-page.ts";

export interface PageEntry {
  name: string;
  path: string;
  component: LazyPage;
  /** Without it the page is for everybody who is signed in. */
  needs?: Action;
  /** Of the platform, not of a client: for operators. */
  platform?: boolean;
}

const home = lazyPage(() => import("./pages/home.tsx"));
const models = lazyPage(() => import("./pages/models.tsx"));
const runs = lazyPage(() => import("./pages/runs.tsx"));
const usage = lazyPage(() => import("./pages/usage.tsx"));
const audit = lazyPage(() => import("./pages/audit.tsx"));

export const PAGES: readonly PageEntry[] = [
  { name: "home", path: "/", component: home },
  { name: "account", path: "/account", component: lazyPage(() => import("./pages/account.tsx")) },
  {
    name: "clients",
    path: "/clients",
    component: lazyPage(() => import("./pages/clients.tsx")),
    needs: "clients.list",
    platform: true,
  },
  { name: "models", path: "/models", component: models, needs: "models.read", platform: true },
  { name: "runs", path: "/runs", component: runs, needs: "runs.read", platform: true },
  { name: "usage", path: "/usage", component: usage, needs: "usage.read", platform: true },
  { name: "audit", path: "/audit", component: audit, needs: "audit.read_all", platform: true },
  {
    name: "operators",
    path: "/operators",
    component: lazyPage(() => import("./pages/operators.tsx")),
    needs: "operators.read",
    platform: true,
  },
  { name: "home", path: "/c/:client", component: home },
  {
    name: "agents",
    path: "/c/:client/agents",
    component: lazyPage(() => import("./pages/agents.tsx")),
    needs: "agents.read",
  },
  {
    name: "agent",
    path: "/c/:client/agents/:agent",
    component: lazyPage(() => import("./pages/agent.tsx")),
    needs: "agents.read",
  },
  {
    name: "templates",
    path: "/c/:client/templates",
    component: lazyPage(() => import("./pages/templates.tsx")),
    needs: "templates.read",
  },
  {
    name: "teams",
    path: "/c/:client/teams",
    component: lazyPage(() => import("./pages/teams.tsx")),
    needs: "teams.read",
  },
  {
    name: "room",
    path: "/c/:client/rooms/:room",
    component: lazyPage(() => import("./pages/room.tsx")),
    needs: "teams.read",
  },
  {
    name: "people",
    path: "/c/:client/people",
    component: lazyPage(() => import("./pages/people.tsx")),
    needs: "people.read",
  },
  {
    name: "person",
    path: "/c/:client/people/:user",
    component: lazyPage(() => import("./pages/person.tsx")),
    needs: "people.read",
  },
  {
    name: "invites",
    path: "/c/:client/invites",
    component: lazyPage(() => import("./pages/invites.tsx")),
    needs: "invites.read",
  },
  {
    name: "forms",
    path: "/c/:client/forms",
    component: lazyPage(() => import("./pages/forms.tsx")),
    needs: "forms.read",
  },
  {
    name: "form",
    path: "/c/:client/forms/:form",
    component: lazyPage(() => import("./pages/form.tsx")),
    needs: "forms.read",
  },
  { name: "models", path: "/c/:client/models", component: models, needs: "models.read" },
  {
    name: "tools",
    path: "/c/:client/tools",
    component: lazyPage(() => import("./pages/tools.tsx")),
    needs: "tools.read",
  },
  {
    name: "approvals",
    path: "/c/:client/approvals",
    component: lazyPage(() => import("./pages/approvals.tsx")),
    needs: "approvals.read",
  },
  {
    name: "schedules",
    path: "/c/:client/schedules",
    component: lazyPage(() => import("./pages/schedules.tsx")),
    needs: "schedules.read",
  },
  {
    name: "files",
    path: "/c/:client/files",
    component: lazyPage(() => import("./pages/files.tsx")),
    needs: "tools.read",
  },
  { name: "runs", path: "/c/:client/runs", component: runs, needs: "runs.read_own" },
  {
    name: "run",
    path: "/c/:client/runs/:run",
    component: lazyPage(() => import("./pages/run.tsx")),
    needs: "runs.read_own",
  },
  { name: "usage", path: "/c/:client/usage", component: usage, needs: "usage.read" },
  { name: "audit", path: "/c/:client/audit", component: audit, needs: "audit.read" },
  {
    name: "client",
    path: "/c/:client/homeserver",
    component: lazyPage(() => import("./pages/client.tsx")),
    needs: "clients.control",
  },
];

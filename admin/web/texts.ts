/** The panel's one catalogue of texts. A second language will be a second one of these. */

import { agentsTexts } from "./texts/agents.ts";
import { approvalsTexts } from "./texts/approvals.ts";
import { auditTexts } from "./texts/audit.ts";
import { clientsTexts } from "./texts/clients.ts";
import { filesTexts } from "./texts/files.ts";
import { formsTexts } from "./texts/forms.ts";
import { homeTexts } from "./texts/home.ts";
import { invitesTexts } from "./texts/invites.ts";
import { modelsTexts } from "./texts/models.ts";
import { operatorsTexts } from "./texts/operators.ts";
import { peopleTexts } from "./texts/people.ts";
import { runsTexts } from "./texts/runs.ts";
import { schedulesTexts } from "./texts/schedules.ts";
import { sessionTexts } from "./texts/session.ts";
import { shellTexts } from "./texts/shell.ts";
import { teamsTexts } from "./texts/teams.ts";
import { templatesTexts } from "./texts/templates.ts";
import { toolSettingsTexts } from "./texts/tool-settings.ts";
import { toolsTexts } from "./texts/tools.ts";
import { usageTexts } from "./texts/usage.ts";

export const texts = {
  session: sessionTexts,
  operators: operatorsTexts,
  clients: clientsTexts,
  people: peopleTexts,
  invites: invitesTexts,
  teams: teamsTexts,
  agents: agentsTexts,
  templates: templatesTexts,
  forms: formsTexts,
  models: modelsTexts,
  toolSettings: toolSettingsTexts,
  files: filesTexts,
  runs: runsTexts,
  tools: toolsTexts,
  approvals: approvalsTexts,
  schedules: schedulesTexts,
  usage: usageTexts,
  audit: auditTexts,
  home: homeTexts,
  shell: shellTexts,
};

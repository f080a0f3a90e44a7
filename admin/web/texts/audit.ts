/** Texts of: the audit log. */
import type { AuditView } from "../../api/audit.ts";

/** What the log calls changes, in words. Those without a line here are named after their parts. */
const actions: Record<string, string> = {
  "session.sign_in": "Signed in",
  "session.sign_in_refused": "Sign-in refused",
  "session.link_refused": "One-time link refused",
  "session.token_refused": "API token refused",
  "session.check_refused": "Own password or code refused",
  "session.set_password": "Password set",
  "session.second_factor_on": "Second factor switched on",
  "session.second_factor_off": "Second factor switched off",
  "session.new_recovery_codes": "New recovery codes",
  "session.create_token": "API token made",
  "session.revoke_token": "API token revoked",
  "session.end": "Session ended",
  "session.end_others": "Other sessions ended",
  "operators.create": "Operator added",
  "operators.link": "Link for an operator",
  "operators.set_state": "Operator disabled or enabled",
  "operators.remove": "Operator removed",
  "clients.create": "Client added",
  "clients.update": "Client changed",
  "clients.remove": "Client removed",
  "clients.start": "Homeserver started",
  "clients.stop": "Homeserver stopped",
  "clients.restart": "Homeserver restarted",
  "clients.backup": "Backup asked for",
  "clients.delete_backup": "Backup deleted",
  "clients.download_backup": "Backup downloaded",
  "people.suspend": "Person suspended",
  "people.unsuspend": "Person let in again",
  "people.deactivate": "Account ended",
  "people.rename": "Person renamed",
  "people.sign_out": "Devices signed out",
  "people.import": "People imported",
  "people.sign_in_link": "Sign-in link for a person",
  "people.password_link": "Password link for a person",
  "roles.write": "Role changed",
  "invites.create": "Invite made",
  "invites.revoke": "Invite revoked",
  "teams.write": "Team or room changed",
  "agents.create": "Agent made",
  "agents.import": "Agent imported",
  "agents.duplicate": "Agent duplicated",
  "agents.save_draft": "Draft saved",
  "agents.discard_draft": "Draft discarded",
  "agents.publish": "Agent published",
  "agents.rollback": "Agent rolled back",
  "agents.pause": "Agent paused",
  "agents.resume": "Agent resumed",
  "agents.remove": "Agent removed",
  "agents.take_template": "Template's changes taken",
  "agents.upload_picture": "Picture uploaded",
  "models.add": "Model added",
  "models.change": "Model changed",
  "models.remove": "Model removed",
  "models.set_default": "Default model chosen",
  "tools.change_settings": "Settings of tools changed",
  "tools.test_mail": "Mail server tried",
  "tools.put_secret": "Secret for tools kept",
  "tools.remove_secret": "Secret for tools removed",
  "forms.create": "Form written",
  "forms.save_draft": "Form's draft saved",
  "forms.discard_draft": "Form's draft discarded",
  "forms.publish": "Form published",
  "forms.rollback": "Form set back",
  "forms.pause": "Form paused",
  "forms.resume": "Form resumed",
  "forms.remove": "Form removed",
  "forms.stop": "Work on a form stopped",
  "forms.post_link": "Form's link posted",
  "files.write": "File uploaded",
  "files.remove": "File removed",
  "tools.try": "Tool tried",
  "approvals.approve": "Call of a tool allowed",
  "approvals.always": "Tool allowed for always in a room",
  "approvals.decline": "Call of a tool refused",
  "approvals.answer": "Question of an agent answered",
  "approvals.revoke": "Permission for always taken back",
  "schedules.create": "Schedule made",
  "schedules.pause": "Schedule paused",
  "schedules.resume": "Schedule resumed",
  "schedules.remove": "Schedule removed",
  "runs.stop": "Run stopped",
  "runs.again": "Run repeated",
  "caps.write": "Caps changed",
};
type Refused = Pick<AuditView, "action" | "actor" | "target" | "after">;

/** What a refused sign-in was, in sentences. `after` is what the log keeps of it: `{why, tries}`. */
function refusal(line: Refused): string {
  const { why = "", tries = 1 } = (line.after ?? {}) as { why?: string; tries?: number };
  if (why === "beyond_count")
    return `So many sign-ins were refused within an hour that they are not written down one by one any more: ${tries} more from other addresses or for other names.`;
  return `${refusedText(line, why)}${tries > 1 ? ` This happened ${tries} times within ten minutes.` : ""}`;
}

function refusedText({ action, actor, target }: Refused, why: string): string {
  const who = actor.kind === "stranger" ? `Somebody at ${actor.name}` : `${actor.name}, who was signed in,`;
  if (why === "too_many") return `${who} tried again after too many wrong tries, and was told to wait.`;
  if (action === "session.check_refused") return `${who} typed a wrong password or code.`;
  if (action === "session.token_refused") return `${who} sent ${tokenText(why, target.name)}.`;
  if (action === "session.link_refused") return `${who} opened ${linkText(why, target.name)}.`;
  if (target.name === null)
    return `${who} tried to sign in with a name that nobody here has. It is not kept, for it may be a password.`;
  return `${who} tried to sign in as ${target.name}: ${reasons[why] ?? "it was refused"}.`;
}

const reasons: Record<string, string> = {
  wrong_password: "the password was wrong",
  wrong_code: "the password was right, the code was not",
  no_code: "the password was right, but no code followed",
  closed: "the account is disabled or suspended",
};

function tokenText(why: string, name: string | null): string {
  if (why === "revoked") return `the API token "${name}", which was revoked`;
  if (why === "expired") return `the API token "${name}", which is too old`;
  if (why === "closed") return `the API token "${name}", whose owner is not let in any more`;
  return "an API token that there is not";
}

function linkText(why: string, owner: string | null): string {
  const whose = `a one-time link of ${owner ?? "somebody who is gone"}`;
  if (why === "used") return `${whose} that was used before`;
  if (why === "expired") return `${whose} that is too old`;
  if (why === "revoked") return `${whose} that was withdrawn`;
  if (why === "wrong_code") return `${whose} and typed a wrong code`;
  if (why === "no_code") return `${whose} and typed no code`;
  if (why === "closed") return `${whose}, who is not let in any more`;
  return "a one-time link that there is not";
}

export const auditTexts = {
  title: "Audit",
  lead: "Every change: who, on whose behalf, what, before and after. And every sign-in that was refused.",
  label: "Changes, newest first",
  when: "When",
  who: "Who",
  onBehalf: (name: string) => `for ${name}`,
  what: "What",
  about: "About",
  client: "Client",
  outcomes: { open: "Unfinished", done: "Done", failed: "Failed", refused: "Refused" },
  outcomeText: {
    open: "It is under way, or was cut off by a crash: nobody knows whether it happened. Look at what it is about.",
    done: "",
    failed: "It did not work because of a fault of ours. The platform's log says why.",
    refused: "",
  },
  refusal,
  details: "Details",
  search: "Search in names",
  actor: "Who",
  anybody: "Anybody",
  action: "What",
  anything: "Anything",
  from: "From",
  to: "To",
  onlyThis: "All changes of this",
  target: (id: string) => `About ${id} only`,
  clear: "Clear filters",
  showAll: "Show others too",
  export: "Export as CSV",
  exportHint: "The lines that the filters find, 100,000 at most",
  none: "No changes yet",
  noneText: "Whatever somebody changes in the panel, by the API or on the command line will stand here.",
  noneFits: "Nothing fits these filters",
  noneFitsText: "Take one away, or choose other days.",
  noneHere: "Nothing among the lines that were looked through. The search can go on further back.",
  further: "Look further back",
  /** `agents.publish` → "Agent published"; what has no words of its own: "Agents: merge faces" */
  actionName: (action: string) => actions[action] ?? partsOf(action),
  kindName: (kind: string) => kind.replaceAll("_", " "),
  actors: {
    operator: "Operator",
    person: "Person",
    command_line: "Command line",
    link: "One-time link",
    stranger: "Not let in",
  },
  id: "Id",
  exact: "Time",
  address: "Address",
  lastTry: "Last try",
  behalf: "On behalf of",
  outcome: "Outcome",
  changes: "What changed",
  field: "Field",
  before: "Before",
  after: "After",
  nothing: "Nothing more was kept about it.",
  absent: "not there",
  empty: "empty",
};

function partsOf(action: string): string {
  const [area = "", ...rest] = action.split(".");
  const words = (text: string) => text.replaceAll("_", " ");
  return `${words(area).replace(/^./, (letter) => letter.toUpperCase())}: ${words(rest.join(" "))}`;
}

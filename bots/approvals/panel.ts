/** Who may decide from the panel what is asked. Pure; test/unit/approvals-panel.test.ts is its table. In rooms `text.ts` beside it decides. */

export interface Asked {
  kind: "tool" | "input";
  /** Power level in the room that it takes; null where one person is asked. */
  level: number | null;
  onlyPerson: string | null;
  /** A Matrix room, or `try:…` beside an agent's form. */
  roomId: string;
}

export interface PanelAsker {
  /** As decisions name them: a Matrix user id, or `operator:<name>`. */
  by: string;
  /** Decides whatever agents want to do: operators, and owners and managers of the client. */
  all: boolean;
  /** Is in the room now, by the platform's mirror of it, with this power level. */
  joined: boolean;
  power: number;
}

const MODERATOR = 50;

/** Null when they may; else a sentence. A question to one person is answered by nobody else, whatever their role: it would be in their name. */
export function whyNotInPanel(asked: Asked, asker: PanelAsker): string | null {
  const there = asker.joined || !asked.roomId.startsWith("!");
  const isAsked = asked.onlyPerson === asker.by;
  if (asked.kind === "input") {
    if (!isAsked) return "Only the person who was asked answers this.";
    return there ? null : "You have left the room in which you were asked, so you cannot answer this any more.";
  }
  if (asker.all) return null;
  if (asked.onlyPerson !== null) {
    if (!isAsked) return "Only the person who was asked decides this, or a manager.";
    return there ? null : "You have left the room in which this was asked. A manager can decide it.";
  }
  if (!there) return "Only people who are in its room decide this, or a manager.";
  const level = asked.level ?? MODERATOR;
  return asker.power >= level
    ? null
    : `This takes the power level ${level} in its room, and you have ${asker.power}. A moderator or a manager decides it.`;
}

export type ApprovalState = "open" | "approved" | "declined" | "answered" | "expired" | "withdrawn";

/** What became of a question that is over: for whoever wanted to decide it after that. */
export function whatBecame(state: ApprovalState, by: string | null): string {
  const who = by ?? "somebody";
  switch (state) {
    case "approved":
      return `${who} has allowed this already, so nothing was changed.`;
    case "declined":
      return `${who} has refused this already, so nothing was changed.`;
    case "answered":
      return `${who} has answered this already, so nothing was changed.`;
    case "withdrawn":
      return "The run was ended before anybody decided, so there is nothing to decide any more.";
    case "open":
    case "expired":
      return "The time for this is over: nobody decided in time, so it was not done. Ask the agent again.";
  }
}

/** What `!forms` says, and `!help` of forms. Pure. */
import { type ListedForms, type RoomView, type RoutedEvent, serverOf } from "../room-view.ts";
import { oneLine } from "../tools/one-line.ts";
import { exampleFilling } from "./command.ts";

const IN_HELP = 10;

/** Every form that can be filled in here, with what it does and how it is written. */
export function formsText(view: RoomView, event: RoutedEvent): string {
  if (serverOf(event.sender) !== view.serverName)
    return `Forms can only be filled in by people of ${view.serverName}. Ask one of them to do it.`;
  const { shown, total } = view.forms ?? NONE;
  if (shown.length === 0)
    return "No form can be filled in here. A manager makes forms in the panel; one that an agent does needs that agent in the room.";
  const lines = shown.map((form) => {
    const about = form.description === "" ? "" : `: ${oneLine(form.description, 160)}`;
    return `• ${oneLine(form.title)}${about}\n  ${exampleFilling(form)}`;
  });
  if (total > shown.length) lines.push(`• and ${total - shown.length} more, in the panel under Forms`);
  return ["Forms that can be filled in here, by a message like these:", ...lines].join("\n");
}

/** The same in short, for the end of the help; nothing where there are none, or for somebody who may not. */
export function formsInHelp(view: RoomView, event: RoutedEvent): string[] {
  const { shown, total } = formsFor(view, event);
  if (shown.length === 0) return [];
  const lines = shown.slice(0, IN_HELP).map((form) => `• ${exampleFilling(form)} (${oneLine(form.title)})`);
  if (total > lines.length) lines.push(`• and ${total - lines.length} more: !forms`);
  return ["", "Forms that can be filled in here:", ...lines];
}

/** What the sender may know of the client's forms: people of other servers nothing. */
export const formsFor = (view: RoomView, { sender }: RoutedEvent): ListedForms =>
  serverOf(sender) === view.serverName ? (view.forms ?? NONE) : NONE;

const NONE: ListedForms = { shown: [], total: 0, names: [] };

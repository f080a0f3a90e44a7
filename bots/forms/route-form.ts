/** What `!name …` means where the client has a form of that name. Pure. */
import type { Decision, Notice } from "../decision.ts";
import type { Message } from "../message.ts";
import { type RoomView, type RoutedEvent, serverOf } from "../room-view.ts";
import { speaker } from "../speaker.ts";
import { formWord, readFilling } from "./command.ts";

/** Null for a message that names no form. */
export function routeForm(event: RoutedEvent, message: Message, view: RoomView): Decision | null {
  const { form } = view;
  if (form === null || formWord(message.body) !== form.name) return null;
  const as = speaker(view);
  const refuse = (words: string): Decision => ({
    kind: "form",
    filling: null,
    as,
    notices: say(words, as, event, message),
  });
  if (serverOf(event.sender) !== view.serverName)
    return refuse(`Forms can only be filled in by people of ${view.serverName}. Ask one of them to do it.`);
  const read = readFilling(message.body, form);
  if ("problem" in read) return refuse(read.problem);
  const filling = { formId: form.id, values: read.values, threadRoot: message.threadRoot };
  return { kind: "form", filling, as, notices: [] };
}

function say(words: string, as: string | null, event: RoutedEvent, message: Message): Notice[] {
  if (!as) return [];
  const place = message.threadRoot ? { threadRoot: message.threadRoot } : {};
  return [{ key: ["form", event.eventId], as, text: words, replyTo: event.eventId, ...place }];
}

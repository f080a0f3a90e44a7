import { Text, TextInput } from "@mantine/core";
import { modals } from "@mantine/modals";
import { texts } from "../texts.ts";

/** A plain question before something that cannot be taken back. */
export interface Question {
  title: string;
  /** What will happen, said before it does. */
  text: string;
  /** The button that does it: "Remove the agent", not "OK". */
  yes: string;
  danger?: boolean;
  /** A word (a name) that has to be typed first, for what loses data. */
  typed?: string;
}

/** Asks, and resolves true when the answer is yes. */
export function askFirst({ title, text, yes, danger = false, typed }: Question): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = { right: typed === undefined };
    const id = modals.openConfirmModal({
      title,
      centered: true,
      labels: { confirm: yes, cancel: texts.shell.cancel },
      closeButtonProps: { "aria-label": texts.shell.close },
      confirmProps: { color: danger ? "red" : "leaf", disabled: !answer.right },
      children: <Body text={text} typed={typed} onRight={(right) => allow(right)} />,
      onConfirm: () => resolve(true),
      onCancel: () => resolve(false),
      onClose: () => resolve(false),
    });
    const allow = (right: boolean) => {
      if (right === answer.right) return;
      answer.right = right;
      modals.updateModal({ modalId: id, confirmProps: { color: danger ? "red" : "leaf", disabled: !right } });
    };
  });
}

function Body({
  text,
  typed,
  onRight,
}: {
  text: string;
  typed: string | undefined;
  onRight: (right: boolean) => void;
}) {
  return (
    <>
      <Text style={{ whiteSpace: "pre-line" }}>{text}</Text>
      {typed !== undefined && (
        <TextInput
          mt="md"
          data-autofocus
          label={texts.shell.typeToConfirm(typed)}
          autoComplete="off"
          onChange={(event) => onRight(event.currentTarget.value.trim() === typed)}
        />
      )}
    </>
  );
}

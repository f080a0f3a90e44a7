/** Short notices in the corner. */
import { notifications } from "@mantine/notifications";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import { sentenceOf } from "../problem.ts";
import { texts } from "../texts.ts";

const CLOSE = { "aria-label": texts.shell.close };

/** Says that something is done. */
export function saidDone(text: string): void {
  notifications.show({
    message: text,
    color: "leaf",
    icon: <IconCheck size={18} aria-hidden />,
    autoClose: 5000,
    closeButtonProps: CLOSE,
  });
}

/** Says in its sentence what did not work. */
export function saidTrouble(error: unknown): void {
  notifications.show({
    message: sentenceOf(error),
    color: "red",
    icon: <IconAlertTriangle size={18} aria-hidden />,
    autoClose: 12_000,
    closeButtonProps: CLOSE,
  });
}

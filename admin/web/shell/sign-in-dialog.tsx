import { Button, Modal, Stack, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { get } from "../api.ts";
import { reconnectLive } from "../live.ts";
import { type Me, useMe } from "../me.tsx";
import { SignInForm } from "../pages/sign-in-form.tsx";
import { onSignInAgain } from "../sign-in-again.ts";
import { texts } from "../texts.ts";

let leave: (() => void) | undefined;

// Every open dialog hears Esc; one below this, with a form in it, must not close with it. Heard before Mantine listens.
window.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Escape" || !leave) return;
    event.stopImmediatePropagation();
    leave();
  },
  { capture: true },
);

/** Opens over the page when a request meets a session that ended. The page below keeps what was typed. */
export function SignInDialog() {
  const me = useMe();
  const [open, setOpen] = useState(false);
  const answer = useRef<((same: boolean) => void) | undefined>(undefined);
  useEffect(() => {
    onSignInAgain(() => {
      setOpen(true);
      return new Promise((resolve) => {
        answer.current = resolve;
      });
    });
    return () => onSignInAgain(undefined);
  }, []);
  const end = (same: boolean) => {
    setOpen(false);
    answer.current?.(same);
    answer.current = undefined;
  };
  useEffect(() => {
    leave = open ? () => end(false) : undefined;
  });
  const signedIn = async () => {
    const now = await get<Me>("/me", {}, { strangerToo: true }).catch((error: unknown) => {
      end(false);
      throw error;
    });
    // Somebody else must not send what the one before typed.
    if (now.id !== me.id) return location.reload();
    end(true);
    reconnectLive();
  };
  return (
    <Modal
      opened={open}
      onClose={() => end(false)}
      title={texts.shell.signedOutTitle}
      centered
      closeButtonProps={{ "aria-label": texts.shell.close }}
      zIndex={1000}
    >
      <Stack>
        <Text>{texts.shell.signedOut}</Text>
        <SignInForm onDone={() => void signedIn()} />
        {me.client && (
          <Text size="sm" c="dimmed">
            {texts.shell.signedOutForGood}
          </Text>
        )}
        <Button variant="default" onClick={() => location.assign("/panel/")}>
          {texts.shell.leave}
        </Button>
      </Stack>
    </Modal>
  );
}

import { Center, Paper, Stack, Title } from "@mantine/core";
import { useEffect } from "react";
import { texts } from "../texts.ts";
import { SignInForm } from "./sign-in-form.tsx";

/** The page for who is not signed in. `onDone`: the page that was wanted is drawn in its place. */
export default function SignInPage({ onDone }: { onDone: () => void }) {
  useEffect(() => {
    document.title = `${texts.shell.pages.signIn} · ${texts.shell.product}`;
  }, []);
  return (
    <Center mih="100dvh" p="md" component="main">
      <Paper className="agt-card" p="xl" w="100%" maw={420}>
        <Stack>
          <Title order={1}>{texts.shell.pages.signIn}</Title>
          <SignInForm onDone={onDone} />
        </Stack>
      </Paper>
    </Center>
  );
}

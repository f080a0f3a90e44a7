import { Button, PasswordInput, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { put, useSend } from "../../api.ts";
import type { Me } from "../../me.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { NewPasswordFields, NO_PASSWORD, newPasswordProblem } from "./new-password.tsx";
import { Section } from "./section.tsx";

const words = texts.session.account;
const LEAST = 10;

/** A new password with the old one; people's passwords are their homeserver's. */
export function PasswordSection({ me }: { me: Me }) {
  if (me.kind === "person")
    return (
      <Section title={words.passwordTitle}>
        <Text size="sm">{words.matrixPassword}</Text>
      </Section>
    );
  return <OperatorPassword name={me.name} />;
}

function OperatorPassword({ name }: { name: string }) {
  const [open, setOpen] = useState(false);
  const [password, setPassword] = useState("");
  const [typed, setTyped] = useState(NO_PASSWORD);
  const [unlike, setUnlike] = useState<string | null>(null);
  const close = () => {
    setOpen(false);
    setPassword("");
    setTyped(NO_PASSWORD);
  };
  const change = useSend((body: { password: string; newPassword: string }) => put("/me/password", body), {
    topics: ["session"],
    said: words.changed,
    inline: true,
    onDone: close,
  });
  if (!open)
    return (
      <Section
        title={words.passwordTitle}
        text={words.changeText}
        action={
          <Button variant="default" onClick={() => setOpen(true)}>
            {words.change}
          </Button>
        }
      />
    );
  return (
    <Section title={words.passwordTitle} text={words.changeText}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const problem = newPasswordProblem(typed);
          setUnlike(problem);
          if (!problem && !change.isPending) change.mutate({ password, newPassword: typed.password });
        }}
      >
        <Stack>
          <PasswordInput
            label={words.current}
            autoComplete="current-password"
            maxLength={512}
            required
            withAsterisk={false}
            autoFocus
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <NewPasswordFields value={typed} onChange={setTyped} name={name} least={LEAST} problem={unlike} />
          <Trouble error={change.error} />
          <Button type="submit" loading={change.isPending}>
            {words.change}
          </Button>
          <Button variant="subtle" onClick={close}>
            {texts.shell.cancel}
          </Button>
        </Stack>
      </form>
    </Section>
  );
}

import { Button, Group, Modal, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { RecoveryCodesView, SecondFactorView } from "../../../api/session-views.ts";
import { post, useGet, useSend } from "../../api.ts";
import { StateBadge } from "../../parts/state-badge.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { RecoveryCodes, SetUpSecondFactor } from "./second-factor.tsx";
import { Section } from "./section.tsx";

const words = texts.session.factor;
type Doing = "set_up" | "turn_off" | "new_codes" | null;

/** The second factor of an operator. */
export function FactorSection({ name }: { name: string }) {
  const asked = useGet<SecondFactorView>("session", "/me/totp");
  const [doing, setDoing] = useState<Doing>(null);
  const close = () => {
    setDoing(null);
    void asked.refetch();
  };
  const titles = { set_up: words.setUp, turn_off: words.turnOff, new_codes: words.newCodes };
  const on = asked.data?.on ?? false;
  return (
    <Section title={words.title} text={asked.data ? (on ? words.on : words.off) : ""}>
      <Trouble error={asked.error} again={() => void asked.refetch()} />
      {asked.data && (
        <Group gap="sm">
          <StateBadge tone={on ? "good" : "quiet"}>
            {on ? texts.operators.factors.on : texts.operators.factors.off}
          </StateBadge>
          {on && <Text size="sm">{words.left(asked.data.recoveryCodesLeft)}</Text>}
        </Group>
      )}
      {asked.data && (
        <Group gap="xs">
          {!on && <Button onClick={() => setDoing("set_up")}>{words.setUp}</Button>}
          {on && (
            <Button variant="default" onClick={() => setDoing("new_codes")}>
              {words.newCodes}
            </Button>
          )}
          {on && (
            <Button variant="default" onClick={() => setDoing("turn_off")}>
              {words.turnOff}
            </Button>
          )}
        </Group>
      )}
      <Modal
        opened={doing !== null}
        onClose={close}
        title={doing ? titles[doing] : ""}
        closeOnClickOutside={false}
        closeButtonProps={{ "aria-label": texts.shell.close }}
      >
        {doing === "set_up" && <SetUpSecondFactor name={name} onDone={close} />}
        {doing === "turn_off" && <TurnOff onDone={close} />}
        {doing === "new_codes" && <NewCodes name={name} onDone={close} />}
      </Modal>
    </Section>
  );
}

interface Typed {
  password: string;
  code: string;
}

function TurnOff({ onDone }: { onDone: () => void }) {
  const send = useSend((typed: Typed) => post("/me/totp/disable", typed), {
    topics: ["session"],
    said: words.turnedOff,
    inline: true,
    onDone,
  });
  return (
    <Prove
      text={words.turnOffText}
      yes={words.turnOff}
      danger
      busy={send.isPending}
      error={send.error}
      send={send.mutate}
    />
  );
}

function NewCodes({ name, onDone }: { name: string; onDone: () => void }) {
  const send = useSend((typed: Typed) => post<RecoveryCodesView>("/me/totp/recovery-codes", typed), {
    topics: ["session"],
    inline: true,
  });
  if (send.data) return <RecoveryCodes name={name} codes={send.data.recoveryCodes} onDone={onDone} />;
  return (
    <Prove text={words.newCodesText} yes={words.newCodes} busy={send.isPending} error={send.error} send={send.mutate} />
  );
}

interface ProveProps {
  text: string;
  yes: string;
  danger?: boolean;
  busy: boolean;
  error: unknown;
  send: (typed: Typed) => void;
}

/** Password and code once more, before the account gets weaker. */
function Prove({ text, yes, danger = false, busy, error, send }: ProveProps) {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy) send({ password, code });
      }}
    >
      <Stack>
        <Text size="sm">{text}</Text>
        <PasswordInput
          label={texts.session.account.current}
          autoComplete="current-password"
          maxLength={512}
          required
          withAsterisk={false}
          data-autofocus
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <TextInput
          label={words.askCode}
          autoComplete="one-time-code"
          maxLength={64}
          required
          withAsterisk={false}
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        <Trouble error={error} />
        <Button type="submit" loading={busy} color={danger ? "red" : "leaf"}>
          {yes}
        </Button>
      </Stack>
    </form>
  );
}

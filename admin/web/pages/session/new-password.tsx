import { Group, List, PasswordInput, Progress, Stack, Text } from "@mantine/core";
import { IconCheck, IconPoint } from "@tabler/icons-react";
import { texts } from "../../texts.ts";
import { strengthOf } from "./strength.ts";

const words = texts.session;
const COLORS = ["red", "red", "yellow", "leaf", "leaf"];

export interface NewPassword {
  password: string;
  repeated: string;
}
export const NO_PASSWORD: NewPassword = { password: "", repeated: "" };

/** What is wrong with it before it is sent; null when nothing is. */
export const newPasswordProblem = ({ password, repeated }: NewPassword): string | null =>
  password !== repeated ? words.notSame : null;

/** A new password, typed twice, with how strong it looks. */
export function NewPasswordFields({
  value,
  onChange,
  name,
  least,
  problem,
  autoFocus = false,
}: {
  value: NewPassword;
  onChange: (value: NewPassword) => void;
  /** Whose it is: it should not be the password. */
  name: string;
  least: number;
  /** About the second field. */
  problem: string | null;
  autoFocus?: boolean;
}) {
  const strength = strengthOf(value.password, name, least);
  const word = words.strengths[strength.level] ?? "";
  const hints = [
    [strength.long, words.hints.long(least)],
    [strength.varied, words.hints.varied],
    [strength.noName, words.hints.noName],
  ] as const;
  return (
    <Stack gap="sm">
      <input type="text" name="username" autoComplete="username" value={name} readOnly hidden />
      <PasswordInput
        label={words.newPassword}
        autoComplete="new-password"
        maxLength={512}
        required
        withAsterisk={false}
        autoFocus={autoFocus}
        value={value.password}
        onChange={(event) => onChange({ ...value, password: event.currentTarget.value })}
      />
      {value.password !== "" && (
        <Stack gap={6}>
          <Group gap="sm" wrap="nowrap">
            <Progress
              value={(strength.level + 1) * 20}
              color={COLORS[strength.level] ?? "red"}
              flex={1}
              aria-label={words.strength}
            />
            <Text size="sm" aria-live="polite" miw={72} ta="right">
              {word}
            </Text>
          </Group>
          <List size="sm" spacing={2} center>
            {hints.map(([met, text]) => (
              <List.Item
                key={text}
                icon={
                  met ? (
                    <IconCheck size={16} color="var(--mantine-color-leaf-text)" aria-hidden />
                  ) : (
                    <IconPoint size={16} aria-hidden />
                  )
                }
              >
                {text}
              </List.Item>
            ))}
          </List>
        </Stack>
      )}
      <PasswordInput
        label={words.repeat}
        autoComplete="new-password"
        maxLength={512}
        required
        withAsterisk={false}
        value={value.repeated}
        error={problem}
        onChange={(event) => onChange({ ...value, repeated: event.currentTarget.value })}
      />
      <Text size="sm" c="dimmed">
        {words.hints.advice}
      </Text>
    </Stack>
  );
}

import { Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { Problem, post } from "../api.ts";
import { Trouble } from "../parts/trouble.tsx";
import { texts } from "../texts.ts";

const words = texts.session.signIn;

/** Name and password, then the code where a second factor is on. `onDone` when signed in. */
export function SignInForm({ onDone }: { onDone: () => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asksCode, setAsksCode] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const send = async () => {
    setBusy(true);
    setError(null);
    try {
      await post("/sign-in", { name, password, ...(asksCode ? { code } : {}) }, { strangerToo: true });
      onDone();
    } catch (problem) {
      setCode("");
      if (problem instanceof Problem && problem.code === "totp_required") setAsksCode(true);
      else setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy) void send();
      }}
    >
      <Stack>
        {asksCode ? (
          <CodeField value={code} onChange={setCode} />
        ) : (
          <>
            <TextInput
              label={words.name}
              description={words.nameHint}
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              maxLength={300}
              required
              withAsterisk={false}
              data-autofocus
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <PasswordInput
              label={words.password}
              autoComplete="current-password"
              maxLength={512}
              required
              withAsterisk={false}
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
            />
          </>
        )}
        <Trouble error={error} />
        <Button type="submit" loading={busy}>
          {words.send}
        </Button>
        {asksCode ? (
          <Button variant="subtle" onClick={() => setAsksCode(false)}>
            {words.back}
          </Button>
        ) : (
          <details>
            <Text component="summary" size="sm" style={{ cursor: "pointer" }}>
              {words.forgot}
            </Text>
            <Text size="sm" c="dimmed" mt={4}>
              {words.forgotText}
            </Text>
          </details>
        )}
      </Stack>
    </form>
  );
}

/** A code of the app or a recovery code; the keyboard begins here. */
export function CodeField({
  value,
  onChange,
  focus = true,
}: {
  value: string;
  onChange: (code: string) => void;
  focus?: boolean;
}) {
  return (
    <TextInput
      label={words.code}
      description={words.codeHint}
      autoComplete="one-time-code"
      autoCapitalize="none"
      spellCheck={false}
      maxLength={64}
      required
      withAsterisk={false}
      autoFocus={focus}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

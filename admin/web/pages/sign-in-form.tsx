import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { Problem, post } from "../api.ts";
import { Trouble } from "../parts/trouble.tsx";
import { texts } from "../texts.ts";

/** Name, password and, when it is asked for, the code. `onDone` when signed in. */
export function SignInForm({ onDone }: { onDone: () => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>(null);
  const send = async (form: { preventDefault(): void }) => {
    form.preventDefault();
    try {
      await post("/sign-in", { name, password }, { strangerToo: true });
      onDone();
    } catch (problem) {
      setError(
        problem instanceof Problem ? problem : new Problem({ status: 0, code: "panel", detail: String(problem) }),
      );
    }
  };
  return (
    <form onSubmit={(event) => void send(event)}>
      <Stack>
        <TextInput
          label="Name"
          autoComplete="username"
          required
          value={name}
          onChange={(e) => setName(e.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(e) => setPassword(e.currentTarget.value)}
        />
        <Trouble error={error} />
        <Button type="submit">{texts.shell.pages.signIn}</Button>
      </Stack>
    </form>
  );
}

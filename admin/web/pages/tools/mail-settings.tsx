import { Alert, Button, Group, NumberInput, Select, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import type { UseMutationResult } from "@tanstack/react-query";
import { useState } from "react";
import type { MailTestView, ToolSettingsView } from "../../../api/tool-settings-views.ts";
import { fieldErrors, post, put, useSend } from "../../api.ts";
import { askFirst } from "../../parts/ask.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { KeyInput } from "../models/key-input.tsx";

const words = texts.toolSettings.mail;
const { save, remove: removeWord } = texts.toolSettings;

type Mail = ToolSettingsView["mail"];

const valuesOf = (mail: Mail) => ({
  mail: {
    host: mail?.host ?? "",
    port: (mail?.port ?? 465) as number | "",
    security: mail?.secure === false ? "starttls" : "secure",
    user: mail?.user ?? "",
    password: "",
    from: mail?.from ?? "",
  },
});
type Values = ReturnType<typeof valuesOf>;

/** What these ports mean nearly everywhere; it can be chosen otherwise. */
const USUAL: Record<number, "secure" | "starttls"> = { 25: "starttls", 465: "secure", 587: "starttls" };

/** The mail server: set, changed, removed and tried. Its password can be replaced, never read. */
export function MailSettingsForm({ path, mail }: { path: string; mail: Mail }) {
  const form = useForm({ initialValues: valuesOf(mail) });
  const testing = useSend((to: string) => post<MailTestView>(`${path}/mail/test`, to === "" ? {} : { to }));
  const sending = useSend((wish: Values) => put<ToolSettingsView>(path, { mail: bodyOf(wish, mail) }), {
    topics: ["tools"],
    inline: true,
    said: words.saved,
    onDone: (now) => {
      // Where only the password is another one, nothing that is shown changes and the form is not drawn anew.
      form.setInitialValues(valuesOf(now.mail));
      form.reset();
      testing.reset();
    },
  });
  const submit = form.onSubmit((wish) =>
    sending.mutate(wish, { onError: (error) => form.setErrors(fieldErrors(error)) }),
  );
  const unsaid = sending.error && Object.keys(fieldErrors(sending.error)).length === 0;
  const now = form.values.mail;
  const moved =
    mail?.hasPassword && (now.host.trim() !== mail.host || now.port !== mail.port || now.user !== mail.user);
  return (
    <Stack>
      <form onSubmit={submit} noValidate autoComplete="off">
        <Stack>
          <Group grow align="flex-end" preventGrowOverflow={false}>
            <TextInput
              label={words.host}
              description={words.hostHint}
              required
              autoCapitalize="none"
              spellCheck={false}
              {...form.getInputProps("mail.host")}
            />
            <NumberInput
              label={words.port}
              required
              min={1}
              max={65_535}
              allowDecimal={false}
              {...form.getInputProps("mail.port")}
              onChange={(port) => {
                form.setFieldValue("mail.port", port);
                const usual = USUAL[Number(port)];
                if (usual) form.setFieldValue("mail.security", usual);
              }}
            />
          </Group>
          <Select
            label={words.security}
            data={[
              { value: "secure", label: words.secure },
              { value: "starttls", label: words.starttls },
            ]}
            allowDeselect={false}
            {...form.getInputProps("mail.security")}
          />
          <TextInput
            label={words.user}
            description={words.userHint}
            autoCapitalize="none"
            spellCheck={false}
            {...form.getInputProps("mail.user")}
          />
          <KeyInput
            label={words.password}
            description={mail?.hasPassword ? (moved ? words.again : words.stored) : words.none}
            {...form.getInputProps("mail.password")}
          />
          <TextInput
            label={words.from}
            description={words.fromHint}
            required
            autoCapitalize="none"
            {...form.getInputProps("mail.from")}
          />
          {unsaid && <Trouble error={sending.error} />}
          <Group>
            <Button type="submit" loading={sending.isPending}>
              {save}
            </Button>
            {mail && <Remove path={path} />}
          </Group>
        </Stack>
      </form>
      {mail && <Test testing={testing} changed={form.isDirty()} />}
    </Stack>
  );
}

/** A password that was not typed is left out: it stays the old one. */
function bodyOf({ mail: wish }: Values, mail: Mail) {
  const { host, port, security, user, password, from } = wish;
  const kept = mail?.hasPassword && user.trim() !== "" && password === "";
  return {
    host,
    port: port === "" ? 0 : port,
    secure: security === "secure",
    user: user.trim() === "" ? null : user,
    from,
    ...(kept ? {} : { password: password === "" ? null : password }),
  };
}

function Remove({ path }: { path: string }) {
  const removing = useSend(() => put(path, { mail: null }), { topics: ["tools"], said: words.removed });
  const ask = async () => {
    const question = { title: words.removeTitle, text: words.removeText, yes: words.removeYes, danger: true };
    if (await askFirst(question)) removing.mutate(undefined);
  };
  return (
    <Button variant="default" loading={removing.isPending} onClick={() => void ask()} aria-label={words.removeYes}>
      {removeWord}
    </Button>
  );
}

/** `changed`: something else stands in the form than what is saved and would be tried. */
function Test({ testing, changed }: { testing: UseMutationResult<MailTestView, Error, string>; changed: boolean }) {
  const [to, setTo] = useState("");
  const { data } = testing;
  return (
    <Stack gap="xs">
      <Group align="flex-end">
        <TextInput
          label={words.testTo}
          description={changed ? words.saveFirst : words.testHint}
          type="email"
          value={to}
          onChange={(event) => setTo(event.currentTarget.value)}
          style={{ flexGrow: 1 }}
        />
        <Button
          variant="default"
          disabled={changed}
          loading={testing.isPending}
          onClick={() => testing.mutate(to.trim())}
        >
          {words.test}
        </Button>
      </Group>
      {data && (
        <Alert
          role="status"
          color={data.ok ? "leaf" : "red"}
          icon={data.ok ? <IconCheck aria-hidden /> : <IconAlertTriangle aria-hidden />}
        >
          {data.text}
        </Alert>
      )}
    </Stack>
  );
}

import { Button, Code, Group, Image, Loader, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { IconDownload, IconPrinter } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { NewSecondFactorView, RecoveryCodesView } from "../../../api/session-views.ts";
import { post, useSend } from "../../api.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";

const words = texts.session.factor;

/** From the picture to the recovery codes. `onDone` once they are kept. */
export function SetUpSecondFactor({ name, onDone }: { name: string; onDone: () => void }) {
  const [code, setCode] = useState("");
  // One secret for as long as this is open: another one would not fit what was scanned.
  const asked = useQuery({
    queryKey: ["session", "/me/totp", "new"],
    queryFn: () => post<NewSecondFactorView>("/me/totp", {}),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
    retry: false,
  });
  const confirm = useSend(
    (typed: { pending: string; code: string }) => post<RecoveryCodesView>("/me/totp/confirm", typed),
    { inline: true, said: words.turnedOn, onDone: () => setCode("") },
  );
  if (confirm.data) return <RecoveryCodes name={name} codes={confirm.data.recoveryCodes} onDone={onDone} />;
  if (asked.error) return <Trouble error={asked.error} again={() => void asked.refetch()} />;
  if (!asked.data) return <Loader aria-label={texts.shell.loading} />;
  const { secret, qr, pending } = asked.data;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!confirm.isPending) confirm.mutate({ pending, code });
      }}
    >
      <Stack>
        <Text size="sm">{words.scan}</Text>
        <Image
          src={`data:image/svg+xml;utf8,${encodeURIComponent(qr)}`}
          alt={words.picture}
          w={200}
          h={200}
          radius="md"
          mx="auto"
        />
        <Text size="sm">{words.byHand}</Text>
        <Group gap="xs">
          <Code>{secret.replace(/(.{4})(?=.)/g, "$1 ")}</Code>
          <CopyButton text={secret} />
        </Group>
        <TextInput
          label={words.code}
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={64}
          required
          withAsterisk={false}
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        <Trouble error={confirm.error} />
        <Button type="submit" loading={confirm.isPending}>
          {words.confirm}
        </Button>
      </Stack>
    </form>
  );
}

/** Shown this once: to print, download or copy. */
export function RecoveryCodes({ name, codes, onDone }: { name: string; codes: readonly string[]; onDone: () => void }) {
  const file = words.file(name, codes);
  return (
    <Stack>
      <Text fw={600}>{words.codesTitle}</Text>
      <Text size="sm">{words.codesText}</Text>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs" className="agt-print">
        {codes.map((code) => (
          <Code key={code} fz="sm" ta="center">
            {code}
          </Code>
        ))}
      </SimpleGrid>
      <Group gap="xs">
        <CopyButton text={file} />
        <Button
          variant="default"
          size="xs"
          leftSection={<IconDownload size={16} aria-hidden />}
          component="a"
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(file)}`}
          download={words.fileName}
        >
          {words.download}
        </Button>
        <Button
          variant="default"
          size="xs"
          leftSection={<IconPrinter size={16} aria-hidden />}
          onClick={() => window.print()}
        >
          {words.print}
        </Button>
      </Group>
      <Button onClick={onDone}>{words.kept}</Button>
    </Stack>
  );
}

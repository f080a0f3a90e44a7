/** What is done to an account: links, suspension, the end. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type ReactNode, useState } from "react";
import type { LinkView } from "../../../api/people-views.ts";
import { post, useSend } from "../../api.ts";
import { askFirst } from "../../parts/ask.tsx";
import { texts } from "../../texts.ts";
import { LinkShown, nameOf } from "../people/parts.tsx";
import { Card, type PersonProps } from "../person.tsx";
import { Deactivate } from "./deactivate.tsx";

const words = texts.people;

export function AccountCard({ path, person }: PersonProps) {
  const name = nameOf(person);
  const [ending, { open, close }] = useDisclosure(false);
  const suspended = person.state === "suspended";
  const suspend = useSend(() => post(`${path}/suspend`), { topics: ["people"], said: words.suspended(name) });
  const unsuspend = useSend(() => post(`${path}/unsuspend`), { topics: ["people"], said: words.unsuspended(name) });
  const askSuspend = async () => {
    if (await askFirst({ ...words.suspendQuestion(name), danger: true })) suspend.mutate(undefined);
  };
  return (
    <Card title={words.access}>
      <MakeLink path={path} kind="password" />
      {!suspended && <MakeLink path={path} kind="sign_in" />}
      {suspended && (
        <Row text={words.unsuspendHelp}>
          <Button variant="default" loading={unsuspend.isPending} onClick={() => unsuspend.mutate(undefined)}>
            {words.unsuspend}
          </Button>
        </Row>
      )}
      {!suspended && !person.self && (
        <Row text={words.suspendHelp}>
          <Button variant="default" loading={suspend.isPending} onClick={() => void askSuspend()}>
            {words.suspend}
          </Button>
        </Row>
      )}
      {!person.self && (
        <Row text={words.deactivateHelp}>
          <Button color="red" variant="light" onClick={open}>
            {words.deactivate}
          </Button>
        </Row>
      )}
      <Deactivate path={path} name={name} opened={ending} close={close} />
    </Card>
  );
}

const Row = ({ text, children }: { text: string; children: ReactNode }) => (
  <Group justify="space-between" gap="sm" wrap="nowrap">
    <Text size="sm" c="dimmed" flex={1}>
      {text}
    </Text>
    {children}
  </Group>
);

const LINKS = {
  password: { question: words.passwordQuestion, help: words.passwordLinkHelp, label: words.passwordLink },
  sign_in: { question: words.signInQuestion, help: words.signInLinkHelp, label: words.signInLink },
} as const;

function MakeLink({ path, kind }: { path: string; kind: keyof typeof LINKS }) {
  const [link, setLink] = useState<LinkView | null>(null);
  const { question, help, label } = LINKS[kind];
  const make = useSend(() => post<LinkView>(`${path}/${kind === "password" ? "password" : "sign-in"}-link`), {
    onDone: setLink,
  });
  const ask = async () => {
    if (await askFirst(question)) make.mutate(undefined);
  };
  return (
    <Stack gap={0}>
      <Row text={help}>
        <Button variant="default" loading={make.isPending} onClick={() => void ask()}>
          {label}
        </Button>
      </Row>
      <LinkShown title={words.linkReady[kind]} link={link} close={() => setLink(null)} />
    </Stack>
  );
}

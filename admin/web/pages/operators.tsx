/** Those who run the platform. */
import { ActionIcon, Button, Group, Menu, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDots, IconPlus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import type { OperatorLinkView, OperatorView } from "../../api/operators.ts";
import { del, patch, post, usePages, useSend } from "../api.ts";
import { useMay, useMe } from "../me.tsx";
import { askFirst } from "../parts/ask.tsx";
import { Empty } from "../parts/empty.tsx";
import { Page } from "../parts/page.tsx";
import { type Column, PagedTable } from "../parts/paged-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { When } from "../parts/when.tsx";
import { texts } from "../texts.ts";
import { AddOperator, type Handed, HandOver } from "./session/hand-over.tsx";

const words = texts.operators;

export default function OperatorsPage() {
  const me = useMe();
  const mayWrite = useMay("operators.write");
  const pages = usePages<OperatorView>("operators", "/operators");
  const [adding, { open, close }] = useDisclosure(false);
  const [handed, setHanded] = useState<Handed | null>(null);
  const acts = useActs(setHanded);
  const columns = useMemo(() => columnsOf(me.id, mayWrite ? acts : null), [me.id, mayWrite, acts]);
  const add = mayWrite && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={open}>
      {words.add}
    </Button>
  );
  return (
    <Page title={words.title} lead={words.lead} actions={add}>
      <PagedTable
        label={words.label}
        columns={columns}
        pages={pages}
        rowKey={({ id }) => id}
        empty={<Empty title={words.none} text={words.noneText} action={add} />}
      />
      <AddOperator
        opened={adding}
        close={close}
        onMade={(made) => {
          close();
          setHanded(made);
        }}
      />
      <HandOver handed={handed} close={() => setHanded(null)} />
    </Page>
  );
}

interface Acts {
  link(operator: OperatorView, reset: boolean): void;
  setState(operator: OperatorView, state: OperatorView["state"]): void;
  remove(operator: OperatorView): void;
}

/** What may be done to an operator; what hurts is asked first. */
function useActs(hand: (handed: Handed) => void): Acts {
  const path = ({ id }: OperatorView) => `/operators/${encodeURIComponent(id)}`;
  const { mutate: link } = useSend(
    ({ operator, reset }: { operator: OperatorView; reset: boolean }) =>
      post<OperatorLinkView>(`${path(operator)}/link`, { resetSecondFactor: reset }),
    { topics: ["operators"], onDone: (made, { operator }) => hand({ name: operator.name, ...made }) },
  );
  const { mutate: setState } = useSend(
    ({ operator, state }: { operator: OperatorView; state: OperatorView["state"] }) => patch(path(operator), { state }),
    {
      topics: ["operators"],
      said: (_, { operator, state }) => (state === "active" ? words.enabled : words.disabled)(operator.name),
    },
  );
  const { mutate: remove } = useSend((operator: OperatorView) => del(path(operator)), {
    topics: ["operators"],
    said: (_, { name }) => words.removed(name),
  });
  return useMemo(
    () => ({
      async link(operator, reset) {
        const { name } = operator;
        const question = reset
          ? { title: words.resetTitle(name), text: words.resetText, yes: words.resetYes, danger: true }
          : { title: words.newLinkTitle(name), text: words.newLinkText, yes: words.newLinkYes };
        if (await askFirst(question)) link({ operator, reset });
      },
      async setState(operator, state) {
        const title = words.disableTitle(operator.name);
        const question = { title, text: words.disableText, yes: words.disableYes, danger: true };
        if (state === "active" || (await askFirst(question))) setState({ operator, state });
      },
      async remove(operator) {
        const title = words.removeTitle(operator.name);
        if (await askFirst({ title, text: words.removeText, yes: words.removeYes, danger: true })) remove(operator);
      },
    }),
    [link, setState, remove],
  );
}

const columnsOf = (me: string, acts: Acts | null): Column<OperatorView>[] => [
  {
    id: "name",
    title: words.name,
    cell: ({ id, name }) => (
      <Group gap="xs">
        <Text fw={600} size="sm">
          {name}
        </Text>
        {id === me && <StateBadge tone="quiet">{words.you}</StateBadge>}
      </Group>
    ),
  },
  { id: "state", title: words.state, cell: (operator) => <State operator={operator} /> },
  {
    id: "factor",
    title: words.factor,
    cell: ({ secondFactor }) => (
      <StateBadge tone={secondFactor ? "good" : "quiet"}>
        {secondFactor ? words.factors.on : words.factors.off}
      </StateBadge>
    ),
  },
  { id: "seen", title: words.seen, cell: ({ lastSignInAt }) => <When at={lastSignInAt} /> },
  {
    id: "do",
    title: "",
    align: "right",
    cell: (operator) => acts && <What operator={operator} acts={acts} />,
  },
];

function State({ operator: { state, hasPassword } }: { operator: OperatorView }) {
  if (state === "disabled") return <StateBadge tone="bad">{words.states.disabled}</StateBadge>;
  return hasPassword ? (
    <StateBadge tone="good">{words.states.active}</StateBadge>
  ) : (
    <StateBadge tone="warn">{words.states.waiting}</StateBadge>
  );
}

function What({ operator, acts }: { operator: OperatorView; acts: Acts }) {
  const active = operator.state === "active";
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label={words.menu(operator.name)}>
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {active && <Menu.Item onClick={() => acts.link(operator, false)}>{words.newLink}</Menu.Item>}
        {active && operator.secondFactor && (
          <Menu.Item onClick={() => acts.link(operator, true)}>{words.resetLink}</Menu.Item>
        )}
        <Menu.Item onClick={() => acts.setState(operator, active ? "disabled" : "active")}>
          {active ? words.disable : words.enable}
        </Menu.Item>
        <Menu.Item color="red" onClick={() => acts.remove(operator)}>
          {words.remove}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

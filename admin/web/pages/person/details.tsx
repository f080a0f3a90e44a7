/** Who somebody is, and their role. */
import { Anchor, Button, Group, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { fieldErrors, patch, put, useSend } from "../../api.ts";
import { useMay } from "../../me.tsx";
import { askFirst } from "../../parts/ask.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { When } from "../../parts/when.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { Card, type PersonProps } from "../person.tsx";

const words = texts.people;

export function DetailsCard({ client, path, person }: PersonProps) {
  const open = person.blocked === null && person.state !== "deactivated";
  const mayRename = useMay("people.write") && open;
  const mayGiveRoles = useMay("roles.write") && open;
  const mayReadRuns = useMay("runs.read");
  return (
    <Card title={words.details}>
      {person.blocked !== null && (
        <Text size="sm" c="dimmed">
          {words.blocked} {person.blocked}
        </Text>
      )}
      {mayRename && <NameField key={person.name} path={path} person={person} />}
      <Fact name={words.userId}>
        <Text span>{person.id}</Text>
        <CopyButton text={person.id} aria-label={words.copyId} />
      </Fact>
      {mayGiveRoles ? (
        <RoleSelect path={path} person={person} />
      ) : (
        <Fact name={words.columns.role}>{texts.shell.roles[person.role]}</Fact>
      )}
      <Fact name={words.columns.teams}>{person.teams.map(({ name }) => name).join(", ") || words.noTeam}</Fact>
      <Fact name={words.columns.seen}>
        <When at={person.lastSeenAt} />
      </Fact>
      <Fact name={words.joined}>
        <When at={person.createdAt} />
      </Fact>
      {mayReadRuns && (
        <Anchor component={Link} href={`${to.runs(client)}?person=${encodeURIComponent(person.id)}`}>
          {words.runs}
        </Anchor>
      )}
    </Card>
  );
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <Group justify="space-between" gap="xs">
    <Text c="dimmed">{name}</Text>
    <Group gap="xs">{typeof children === "string" ? <Text span>{children}</Text> : children}</Group>
  </Group>
);

function NameField({ path, person }: Pick<PersonProps, "path" | "person">) {
  const [name, setName] = useState(person.name ?? "");
  const rename = useSend((to: string) => patch(path, { name: to }), {
    topics: ["people"],
    said: words.renamed,
    inline: true,
  });
  const problem = rename.error ? (fieldErrors(rename.error).name ?? rename.error.message) : undefined;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        rename.mutate(name.trim());
      }}
    >
      <Group align="end" gap="xs">
        <TextInput
          label={words.displayName}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={problem}
          flex="1 1 12rem"
        />
        <Button
          type="submit"
          variant="default"
          loading={rename.isPending}
          disabled={name.trim() === "" || name.trim() === (person.name ?? "")}
        >
          {words.rename}
        </Button>
      </Group>
    </form>
  );
}

const ROLES = ["owner", "manager", "auditor", "member"] as const;

function RoleSelect({ path, person }: Pick<PersonProps, "path" | "person">) {
  const give = useSend((role: string) => put(`${path}/role`, { role }), {
    topics: ["people", "session"],
    said: (_, role) => words.roleChanged(texts.shell.roles[role as keyof typeof texts.shell.roles]),
  });
  const choose = async (role: string) => {
    if (person.self && !(await askFirst({ ...words.lessForMyself, danger: true }))) return;
    give.mutate(role);
  };
  return (
    <Stack gap={4}>
      <NativeSelect
        label={words.roleLabel}
        description={words.roleHelp[person.role]}
        value={give.isPending ? give.variables : person.role}
        disabled={give.isPending}
        onChange={(event) => void choose(event.currentTarget.value)}
        data={ROLES.map((role) => ({ value: role, label: texts.shell.roles[role] }))}
      />
    </Stack>
  );
}

/** Small parts of the pages about people. */
import { Anchor, Avatar, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { Link } from "wouter";
import type { LinkView, PersonView } from "../../../api/people-views.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Name } from "../../parts/name.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";
import { When } from "../../parts/when.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";

const words = texts.people;
const COLORS = ["leaf", "blue", "grape", "orange", "teal", "violet", "red", "cyan"];

/** What a person is called: the name, else the user name. */
export const nameOf = ({ id, name }: { id: string; name: string | null }): string =>
  name || (id.slice(1).split(":")[0] ?? id);

/** Initials on a colour that stays with the person. */
export function PersonFace({ person, size = 36 }: { person: { id: string; name: string | null }; size?: number }) {
  const letters = nameOf(person)
    .split(/[\s._-]+/)
    .filter((word) => /^[\p{L}\p{N}]/u.test(word))
    .slice(0, 2)
    .map((word) => [...word][0]?.toUpperCase() ?? "")
    .join("");
  let sum = 0;
  for (const char of person.id) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 9973;
  return (
    <Avatar size={size} radius="xl" color={COLORS[sum % COLORS.length] ?? "leaf"} aria-hidden>
      {letters || "?"}
    </Avatar>
  );
}

/** Face, name with the way to the person's page, and user id. */
export const PersonCell = ({ client, person }: { client: string; person: { id: string; name: string | null } }) => (
  <Group gap="sm" wrap="nowrap">
    <PersonFace person={person} />
    <div>
      <Anchor component={Link} href={to.person(client, person.id)} fw={600}>
        <Name>{nameOf(person)}</Name>
      </Anchor>
      <Text size="sm" c="dimmed">
        <Name>{person.id}</Name>
      </Text>
    </div>
  </Group>
);

const TONES = { active: "good", suspended: "warn", deactivated: "quiet" } as const;

export const PersonState = ({ state }: { state: PersonView["state"] }) => (
  <StateBadge tone={TONES[state]}>{words.states[state]}</StateBadge>
);

/** A link that works once: shown this once. */
export function LinkShown({ title, link, close }: { title: string; link: LinkView | null; close: () => void }) {
  return (
    <Modal
      opened={link !== null}
      onClose={close}
      title={title}
      centered
      size="lg"
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      {link && (
        <Stack>
          <Text>{words.linkOnce}</Text>
          <TextInput
            label={words.linkLabel}
            value={link.url}
            readOnly
            data-autofocus
            onFocus={(event) => event.currentTarget.select()}
          />
          <Group justify="space-between">
            <Text size="sm" c="dimmed">
              {words.linkUntil} <When at={link.expiresAt} exactly />
            </Text>
            <CopyButton text={link.url} label={words.copyLink} />
          </Group>
        </Stack>
      )}
    </Modal>
  );
}

/** Makes an invite link and shows it, once, with its QR code. */
import { Button, Group, Modal, NumberInput, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { NewInviteView } from "../../../api/invites.ts";
import { fieldErrors, post, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { QrCode } from "../../parts/qr-code.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";
import { RoleField, TeamField, useTeams } from "./fields.tsx";

const words = texts.invites;

export function CreateInvite({ client, opened, close }: { client: string; opened: boolean; close: () => void }) {
  const [made, setMade] = useState<NewInviteView | null>(null);
  const shut = () => {
    close();
    setMade(null);
  };
  return (
    <Modal
      opened={opened}
      onClose={shut}
      title={made ? words.ready.title : words.form.title}
      centered
      size="lg"
      closeOnClickOutside={made === null}
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      {made ? (
        <Ready invite={made} close={shut} another={() => setMade(null)} />
      ) : (
        <InviteForm client={client} onMade={setMade} />
      )}
    </Modal>
  );
}

function InviteForm({ client, onMade }: { client: string; onMade: (invite: NewInviteView) => void }) {
  const teams = useTeams(client);
  const [chosen, setTeamId] = useState<string>();
  const teamId = chosen ?? teams?.[0]?.id;
  const [uses, setUses] = useState<number | string>(1);
  const [days, setDays] = useState<number | string>(7);
  const [username, setUsername] = useState("");
  const [displayName, setDisplayName] = useState("");
  const [role, setRole] = useState("member");
  const make = useSend((body: object) => post<NewInviteView>(inClient(client, "invites"), body), {
    topics: ["invites"],
    inline: true,
    onDone: onMade,
  });
  const oneName = username.trim() !== "";
  const send = (event: FormEvent) => {
    event.preventDefault();
    const named = oneName
      ? { username: username.trim(), ...(displayName.trim() ? { displayName: displayName.trim() } : {}) }
      : {};
    const team = teamId ? { teamId } : {};
    make.mutate({ ...team, ...named, maxUses: oneName ? 1 : Number(uses), ttlDays: Number(days), role });
  };
  const problems = fieldErrors(make.error);
  return (
    <form onSubmit={send}>
      <Stack>
        {teams?.length === 0 ? (
          <Text c="dimmed">{words.form.noTeams}</Text>
        ) : (
          <TeamField
            teams={teams}
            label={words.form.team}
            description={words.form.teamHelp}
            value={teamId}
            onChange={setTeamId}
          />
        )}
        <Group grow align="start">
          <NumberInput
            label={words.form.uses}
            min={1}
            max={10_000}
            allowDecimal={false}
            value={oneName ? 1 : uses}
            disabled={oneName}
            onChange={setUses}
            error={problems.maxUses}
            required
            data-autofocus
          />
          <NumberInput
            label={words.form.days}
            min={1}
            max={366}
            allowDecimal={false}
            value={days}
            onChange={setDays}
            error={problems.ttlDays}
            required
          />
        </Group>
        <RoleField label={words.form.role} value={role} onChange={setRole} />
        <TextInput
          label={words.form.username}
          description={words.form.usernameHelp}
          value={username}
          onChange={(event) => setUsername(event.currentTarget.value)}
          autoCapitalize="none"
          spellCheck={false}
          error={problems.username}
        />
        {oneName && (
          <TextInput
            label={words.form.displayName}
            value={displayName}
            onChange={(event) => setDisplayName(event.currentTarget.value)}
            error={problems.displayName}
          />
        )}
        {Object.keys(problems).length === 0 && <Trouble error={make.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={make.isPending}>
            {words.form.make}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Ready({ invite, close, another }: { invite: NewInviteView; close: () => void; another: () => void }) {
  return (
    <Stack>
      <Text role="status">{words.ready.once}</Text>
      <TextInput
        label={words.ready.link}
        value={invite.url}
        readOnly
        data-autofocus
        onFocus={(event) => event.currentTarget.select()}
      />
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {words.ready.until} <When at={invite.expiresAt} exactly />
        </Text>
        <CopyButton text={invite.url} label={words.ready.copy} />
      </Group>
      <QrCode svg={invite.qr} alt={words.ready.qr} />
      <Group justify="space-between">
        <Button variant="default" onClick={another}>
          {words.ready.another}
        </Button>
        <Button onClick={close}>{words.ready.close}</Button>
      </Group>
    </Stack>
  );
}

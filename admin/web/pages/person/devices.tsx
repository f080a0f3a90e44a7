/** Where somebody is signed in. */

import { Button, Group, Stack, Text } from "@mantine/core";
import { IconDeviceMobile } from "@tabler/icons-react";
import type { DeviceView } from "../../../api/people-views.ts";
import { del, usePages, useSend } from "../../api.ts";
import { useMay } from "../../me.tsx";
import { askFirst } from "../../parts/ask.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { Waiting } from "../../parts/waiting.tsx";
import { When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";
import { Card, type PersonProps } from "../person.tsx";

const words = texts.people;

export function DevicesCard({ path, person }: PersonProps) {
  const mayWrite = useMay("people.write") && person.blocked === null;
  const pages = usePages<DeviceView>("people", `${path}/devices`);
  const signOutAll = useSend(() => del<{ signedOut: number }>(`${path}/devices`), {
    topics: ["people"],
    said: ({ signedOut }) => words.signedOut(signedOut),
  });
  const askAll = async () => {
    if (await askFirst({ ...words.signOutAllQuestion, danger: true })) signOutAll.mutate(undefined);
  };
  const all = mayWrite && pages.items.length > 0 && (
    <Button variant="default" size="xs" onClick={() => void askAll()} loading={signOutAll.isPending}>
      {words.signOutAll}
    </Button>
  );
  return (
    <Card title={words.devices} actions={all}>
      <Text size="sm" c="dimmed">
        {words.devicesHelp}
      </Text>
      {pages.loading && <Waiting lines={1} height={40} />}
      <Trouble error={pages.error} again={pages.again} />
      {!pages.loading && !pages.error && pages.items.length === 0 && <Text>{words.noDevices}</Text>}
      <Stack component="ul" gap="sm" m={0} p={0} style={{ listStyle: "none" }}>
        {pages.items.map((device) => (
          <Device key={device.id} path={path} device={device} mayWrite={mayWrite} />
        ))}
      </Stack>
      {pages.hasMore && (
        <Button variant="default" onClick={pages.more} loading={pages.loadingMore}>
          {texts.shell.loadMore}
        </Button>
      )}
    </Card>
  );
}

function Device({ path, device, mayWrite }: { path: string; device: DeviceView; mayWrite: boolean }) {
  const name = device.name ?? words.unnamedDevice;
  const signOut = useSend(() => del(`${path}/devices/${encodeURIComponent(device.id)}`), {
    topics: ["people"],
    said: words.signedOutOne,
  });
  const ask = async () => {
    if (await askFirst({ ...words.signOutQuestion, danger: true })) signOut.mutate(undefined);
  };
  return (
    <Group component="li" justify="space-between" wrap="nowrap" gap="sm">
      <Group gap="sm" wrap="nowrap" align="start">
        <IconDeviceMobile size={20} aria-hidden style={{ flex: "none" }} />
        <div>
          <Text fw={600}>{name}</Text>
          <Text size="sm" c="dimmed">
            {device.id} · {words.lastUsed} <When at={device.lastSeenAt} />{" "}
            {device.address && words.from(device.address)}
          </Text>
        </div>
      </Group>
      {mayWrite && (
        <Button
          variant="default"
          size="xs"
          onClick={() => void ask()}
          loading={signOut.isPending}
          aria-label={words.signOutOne(name)}
          flex="none"
        >
          {words.signOut}
        </Button>
      )}
    </Group>
  );
}

import { Button, Group, List, Modal, Radio, Stack } from "@mantine/core";
import { useState } from "react";
import { post, useSend } from "../../api.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";

const words = texts.people;

/** Says what happens to an account and to what it wrote, and then asks. */
export function Deactivate({
  path,
  name,
  opened,
  close,
}: {
  path: string;
  name: string;
  opened: boolean;
  close: () => void;
}) {
  const [messages, setMessages] = useState("keep");
  const end = useSend(() => post(`${path}/deactivate`, { erase: messages === "erase" }), {
    topics: ["people"],
    said: words.deactivated(name),
    inline: true,
    onDone: close,
  });
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={words.deactivateQuestion(name)}
      centered
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      <Stack>
        <List size="sm" spacing={4}>
          {words.deactivateFacts.map((fact) => (
            <List.Item key={fact}>{fact}</List.Item>
          ))}
        </List>
        <Radio.Group label={words.messages} value={messages} onChange={setMessages}>
          <Stack gap="xs" mt={4}>
            <Radio value="keep" label={words.keep} description={words.keepHelp} />
            <Radio value="erase" label={words.erase} description={words.eraseHelp} />
          </Stack>
        </Radio.Group>
        <Trouble error={end.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={close} data-autofocus>
            {texts.shell.cancel}
          </Button>
          <Button color="red" loading={end.isPending} onClick={() => end.mutate(undefined)}>
            {words.deactivate}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

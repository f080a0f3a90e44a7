import { Button, Code, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { NewOperatorView } from "../../../api/operators.ts";
import { fieldErrors, post, useSend } from "../../api.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";

const words = texts.operators;

/** A link to hand over, shown this once. */
export interface Handed {
  name: string;
  url: string;
  expiresAt: string;
}

export function AddOperator({
  opened,
  close,
  onMade,
}: {
  opened: boolean;
  close: () => void;
  onMade: (made: Handed) => void;
}) {
  const [name, setName] = useState("");
  const add = useSend((wish: string) => post<NewOperatorView>("/operators", { name: wish }), {
    topics: ["operators"],
    inline: true,
    onDone: ({ operator, link }) => {
      setName("");
      onMade({ name: operator.name, ...link });
    },
  });
  const wrong = fieldErrors(add.error).name;
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={words.addTitle}
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!add.isPending) add.mutate(name);
        }}
      >
        <Stack>
          <Text size="sm">{words.addText}</Text>
          <TextInput
            label={words.addName}
            description={words.addNameHint}
            maxLength={64}
            required
            withAsterisk={false}
            data-autofocus
            autoComplete="off"
            value={name}
            error={wrong}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Trouble error={wrong ? null : add.error} />
          <Button type="submit" loading={add.isPending}>
            {words.addSend}
          </Button>
        </Stack>
      </form>
    </Modal>
  );
}

export function HandOver({ handed, close }: { handed: Handed | null; close: () => void }) {
  return (
    <Modal
      opened={handed !== null}
      onClose={close}
      title={handed ? words.linkTitle(handed.name) : ""}
      closeOnClickOutside={false}
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      {handed && (
        <Stack>
          <Text size="sm">{words.linkText}</Text>
          <Code block aria-label={words.linkLabel} style={{ whiteSpace: "pre-wrap" }}>
            {handed.url}
          </Code>
          <Text size="sm" c="dimmed">
            {words.linkEnds} <When at={handed.expiresAt} exactly />
          </Text>
          <CopyButton text={handed.url} label={words.linkCopy} size="sm" />
          <Button onClick={close}>{words.linkDone}</Button>
        </Stack>
      )}
    </Modal>
  );
}

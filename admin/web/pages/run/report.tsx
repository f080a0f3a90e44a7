import { Checkbox, Code, Group, Modal, ScrollArea, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useGet } from "../../api.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";

const words = texts.runs.run;

/** The report as it will be copied, so that nobody sends what they have not seen. */
export function Report({ path, opened, close }: { path: string; opened: boolean; close: () => void }) {
  const [withTexts, setWithTexts] = useState(false);
  const { data, error } = useGet<string>("runs", opened ? `${path}/report` : null, { texts: withTexts });
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={words.reportTitle}
      size="xl"
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      <Stack>
        <Text size="sm">{words.reportLead}</Text>
        <Trouble error={error} />
        <ScrollArea.Autosize
          mah={360}
          type="auto"
          viewportProps={{ tabIndex: 0, "aria-label": words.reportTitle, role: "region" }}
        >
          <Code block>{data ?? texts.shell.loading}</Code>
        </ScrollArea.Autosize>
        <Group justify="space-between">
          <Checkbox
            label={words.withTexts}
            checked={withTexts}
            onChange={(event) => setWithTexts(event.currentTarget.checked)}
          />
          <CopyButton text={data ?? ""} label={words.copyReport} size="sm" disabled={!data} />
        </Group>
      </Stack>
    </Modal>
  );
}

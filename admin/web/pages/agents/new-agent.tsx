import { Alert, Button, FileButton, Group, List, Modal, Stack, Text } from "@mantine/core";
import { IconFileImport, IconPencilPlus } from "@tabler/icons-react";
import { useLocation } from "wouter";
import type { ImportedView } from "../../../api/agents-views.ts";
import { Problem, post, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { looksBinary } from "../../parts/binary.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { makeAgent, type Wish } from "./make-agent.ts";
import { TemplatesList, UseTemplate } from "./templates-list.tsx";

const { make } = texts.agents;
const MOST_BYTES = 2_000_000;

/** Makes an agent of a wish and goes to its form. */
export function useMaking(client: string) {
  const [, go] = useLocation();
  return useSend((wish: Wish & { key: string }) => makeAgent(client, wish), {
    topics: ["agents"],
    inline: true,
    onDone: (agent) => go(to.agent(client, agent.id)),
  });
}

/** From a template, blank, or from a file. */
export function NewAgent({ client, opened, close }: { client: string; opened: boolean; close: () => void }) {
  const making = useMaking(client);
  const busy = making.isPending ? making.variables.key : null;
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={make.title}
      size="xl"
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      <Stack>
        <Text size="sm">{make.intro}</Text>
        <Trouble error={making.error} />
        <Group gap="sm" align="flex-start">
          <Button
            variant="default"
            title={make.blankText}
            leftSection={<IconPencilPlus size={18} aria-hidden />}
            loading={busy === ""}
            disabled={busy !== null && busy !== ""}
            onClick={() =>
              making.mutate({
                key: "",
                definition: { name: make.blankName, instructions: make.blankInstructions },
              })
            }
          >
            {make.blank}
          </Button>
          <ImportFile client={client} disabled={busy !== null} />
        </Group>
        <TemplatesList
          columns={2}
          actions={(template) => (
            <UseTemplate
              template={template}
              busy={busy}
              use={() => making.mutate({ key: template.id, template: template.id })}
            />
          )}
        />
      </Stack>
    </Modal>
  );
}

function ImportFile({ client, disabled }: { client: string; disabled: boolean }) {
  const [, go] = useLocation();
  const reading = useSend(
    async (file: File) => {
      if (file.size > MOST_BYTES) throw new Problem({ status: 0, code: "invalid", detail: make.tooLarge });
      const text = await file.text();
      if (looksBinary(text)) throw new Problem({ status: 0, code: "invalid", detail: make.noAgentFile });
      return await post<ImportedView>(inClient(client, "agents", "import"), { file: text });
    },
    {
      topics: ["agents"],
      inline: true,
      onDone: ({ agent, remarks }) => remarks.length === 0 && go(to.agent(client, agent.id)),
    },
  );
  const done = reading.data;
  return (
    <Stack gap="xs" align="flex-start">
      <FileButton
        accept="application/json,.json"
        inputProps={{ "aria-label": make.importField }}
        onChange={(file) => file && reading.mutate(file)}
      >
        {(props) => (
          <Button
            {...props}
            variant="default"
            title={make.importText}
            disabled={disabled}
            loading={reading.isPending}
            leftSection={<IconFileImport size={18} aria-hidden />}
          >
            {make.import}
          </Button>
        )}
      </FileButton>
      <Trouble error={reading.error} />
      {done && done.remarks.length > 0 && (
        <Alert color="yellow" role="status">
          <List size="sm">
            {done.remarks.map((remark) => (
              <List.Item key={remark}>{remark}</List.Item>
            ))}
          </List>
          <Button mt="xs" size="xs" onClick={() => go(to.agent(client, done.agent.id))}>
            {make.open(done.agent.name)}
          </Button>
        </Alert>
      )}
    </Stack>
  );
}

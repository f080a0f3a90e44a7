import { Box, SegmentedControl, SimpleGrid, Stack } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useState } from "react";
import type { AgentView } from "../../../api/agents-views.ts";
import { useMay } from "../../me.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { AgentForm } from "./form.tsx";
import { TryIt } from "./try-it.tsx";
import { UpdateNotice } from "./update.tsx";
import type { Draft } from "./use-draft.ts";

const words = texts.agents;

/** The form beside a chat with what it says; one after the other where there is no room for both. */
export function Edit({ client, agent, draft }: { client: string; agent: AgentView; draft: Draft }) {
  const mayWrite = useMay("agents.write");
  const mayTry = useMay("agents.try");
  const narrow = useMediaQuery("(max-width: 62em)", undefined, { getInitialValueInEffect: false });
  const [view, setView] = useState("edit");
  const hidden = (name: string) => (narrow && mayTry && view !== name ? "none" : undefined);
  return (
    <Stack gap="md">
      {narrow && mayTry && (
        <SegmentedControl
          fullWidth
          aria-label={words.formTabs}
          value={view}
          onChange={setView}
          data={[
            { value: "edit", label: words.tabs.edit },
            { value: "try", label: words.tabs.try },
          ]}
        />
      )}
      {mayWrite && <UpdateNotice client={client} agent={agent} save={draft.save} />}
      {draft.state === "failed" && !saidAtFields(draft.errors) && <Trouble error={draft.error} />}
      <SimpleGrid cols={mayTry && !narrow ? 2 : 1} spacing="xl">
        <Box display={hidden("edit")} miw={0}>
          <AgentForm client={client} agent={agent} draft={draft} mayWrite={mayWrite} />
        </Box>
        {mayTry && (
          <Box display={hidden("try")} miw={0}>
            <TryIt client={client} agent={agent.id} templateId={agent.templateId} definition={draft.definition} />
          </Box>
        )}
      </SimpleGrid>
    </Stack>
  );
}

/** Whether every sentence stands at a field of the form. */
function saidAtFields(errors: Record<string, string>): boolean {
  const paths = Object.keys(errors);
  return (
    paths.length > 0 &&
    paths.every((path) =>
      /^(name|description|instructions|model|whoMayInvite|limits\.\w+|tools|tools\.[\w-]+\.(policy|allow|refuse|per\w+|tokensPerDay|level)(\.\d+)?)$/.test(
        path,
      ),
    )
  );
}

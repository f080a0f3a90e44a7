import { inClient } from "../api-path.ts";
import { SearchField } from "../parts/search-field.tsx";
import "./agents/agents.css";
import { Button, Group, SegmentedControl, SimpleGrid } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import type { AgentItem } from "../../api/agents-views.ts";
import { type Pages, usePages } from "../api.ts";
import { useMay, useThisClient } from "../me.tsx";
import { Empty } from "../parts/empty.tsx";
import { Page } from "../parts/page.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { useMaking } from "../parts/use-making.ts";
import { Waiting } from "../parts/waiting.tsx";
import { texts } from "../texts.ts";
import { AgentCard } from "./agents/card.tsx";
import { NewAgent } from "./agents/new-agent.tsx";

const words = texts.agents;

/** The gallery of a client's agents. */
export default function AgentsPage() {
  const client = useThisClient();
  const mayWrite = useMay("agents.write");
  const [asked, setAsked] = useState("");
  const [state, setState] = useState("all");
  const [q] = useDebouncedValue(asked.trim(), 250);
  const [making, { open, close }] = useMaking();
  const pages = usePages<AgentItem>("agents", inClient(client, "agents"), {
    q,
    state: state === "all" ? "" : state,
    limit: 48,
  });
  const filtered = q !== "" || state !== "all";
  const create = mayWrite && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={open}>
      {words.create}
    </Button>
  );
  const bare = !filtered && !pages.loading && !pages.error && pages.items.length === 0;
  return (
    <Page title={words.title} actions={bare ? undefined : create}>
      {!bare && (
        <Group>
          <SearchField label={words.search} value={asked} onChange={setAsked} />
          <SegmentedControl
            aria-label={words.filter}
            value={state}
            onChange={setState}
            data={Object.entries(words.filters).map(([value, label]) => ({ value, label }))}
          />
        </Group>
      )}
      <Gallery client={client} pages={pages} filtered={filtered} action={create} mayWrite={mayWrite} />
      {mayWrite && <NewAgent client={client} opened={making} close={close} />}
    </Page>
  );
}

interface GalleryProps {
  client: string;
  pages: Pages<AgentItem>;
  filtered: boolean;
  action: React.ReactNode;
  mayWrite: boolean;
}

function Gallery({ client, pages, filtered, action, mayWrite }: GalleryProps) {
  if (pages.loading) return <Waiting height={120} />;
  if (pages.error && pages.items.length === 0) return <Trouble error={pages.error} again={pages.again} />;
  if (pages.items.length === 0) {
    if (filtered) return <Empty title={words.noneFits} text={words.noneFitsText} />;
    return <Empty title={words.none} text={mayWrite ? words.noneText : words.noneToRead} action={action} />;
  }
  return (
    <>
      <SimpleGrid component="ul" cols={{ base: 1, sm: 2, lg: 3 }} p={0} m={0} style={{ listStyle: "none" }}>
        {pages.items.map((agent) => (
          <AgentCard key={agent.id} client={client} agent={agent} />
        ))}
      </SimpleGrid>
      <Trouble error={pages.error} again={pages.again} />
      {pages.hasMore && (
        <Group justify="center">
          <Button variant="default" onClick={pages.more} loading={pages.loadingMore}>
            {words.more}
          </Button>
        </Group>
      )}
    </>
  );
}

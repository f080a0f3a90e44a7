import { Tabs } from "@mantine/core";
import { useSearchParams } from "wouter";
import { useThisClient } from "../me.tsx";
import { Page } from "../parts/page.tsx";
import { texts } from "../texts.ts";
import { AllTools } from "./tools/all-tools.tsx";
import { Calls } from "./tools/calls.tsx";
import { ToolSettings } from "./tools/settings.tsx";

const words = texts.tools;
const TABS = ["tools", "calls", "settings"] as const;

/** What agents can use: the tools, what they did, and what they need to reach the outside. */
export default function ToolsPage() {
  const client = useThisClient();
  const [search, setSearch] = useSearchParams();
  const tab = TABS.find((name) => name === search.get("tab")) ?? TABS[0];
  return (
    <Page title={words.title} lead={words.lead}>
      <Tabs
        value={tab}
        onChange={(next) => setSearch(next && next !== TABS[0] ? { tab: next } : {}, { replace: true })}
        keepMounted={false}
      >
        <Tabs.List mb="lg">
          {TABS.map((name) => (
            <Tabs.Tab key={name} value={name} px={{ base: 8, sm: "md" }}>
              {words.tabs[name]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="tools">
          <AllTools client={client} />
        </Tabs.Panel>
        <Tabs.Panel value="calls">
          <Calls client={client} />
        </Tabs.Panel>
        <Tabs.Panel value="settings">
          <ToolSettings client={client} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

import { Button, Group, Stack, Tabs, Text } from "@mantine/core";
import { useSearchParams } from "wouter";
import type { ApprovalView } from "../../api/approvals-views.ts";
import { usePages } from "../api.ts";
import { inClient } from "../api-path.ts";
import { useThisClient } from "../me.tsx";
import { Empty } from "../parts/empty.tsx";
import { Page } from "../parts/page.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { Waiting } from "../parts/waiting.tsx";
import { texts } from "../texts.ts";
import { ApprovalCard } from "./approvals/card.tsx";
import { Grants } from "./approvals/grants.tsx";
import { WaitingBadge } from "./approvals/waiting-badge.tsx";

const words = texts.approvals;
/** A run says what became of what was allowed. */
const TOPICS = ["approvals", "runs"] as const;
const TABS = ["open", "over", "grants"] as const;

/** What agents ask before they do it: what waits first, then what became of it, then what is allowed for always. */
export default function ApprovalsPage() {
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
            <Tabs.Tab
              key={name}
              value={name}
              px={{ base: 8, sm: "md" }}
              rightSection={name === "open" ? <WaitingBadge /> : undefined}
            >
              {words.tabs[name]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="open">
          <Approvals client={client} state="open" />
        </Tabs.Panel>
        <Tabs.Panel value="over">
          <Approvals client={client} state="over" />
        </Tabs.Panel>
        <Tabs.Panel value="grants">
          <Grants client={client} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Approvals({ client, state }: { client: string; state: "open" | "over" }) {
  const pages = usePages<ApprovalView>(TOPICS, inClient(client, "approvals"), { state, limit: 20 });
  const open = state === "open";
  if (pages.loading) return <Waiting lines={3} height={90} />;
  if (pages.error && pages.items.length === 0) return <Trouble error={pages.error} again={pages.again} />;
  // Some pages are short: what somebody may see can stand further back.
  if (pages.items.length === 0 && !pages.hasMore)
    return <Empty title={open ? words.none : words.noneOver} text={open ? words.noneText : words.noneOverText} />;
  return (
    <Stack gap="sm">
      <Stack
        component="ul"
        gap="sm"
        p={0}
        m={0}
        aria-label={open ? words.openLabel : words.overLabel}
        style={{ listStyle: "none" }}
      >
        {pages.items.map((approval) => (
          <li key={approval.id}>
            <ApprovalCard client={client} approval={approval} />
          </li>
        ))}
      </Stack>
      <Trouble error={pages.error} again={pages.again} />
      <Group justify="space-between">
        <Text size="sm" c="dimmed" aria-live="polite">
          {texts.shell.shown(pages.items.length)}
        </Text>
        {pages.hasMore && (
          <Button variant="default" onClick={pages.more} loading={pages.loadingMore}>
            {texts.shell.loadMore}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

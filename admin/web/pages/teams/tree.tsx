import { Button, Stack } from "@mantine/core";
import { IconArchive, IconSitemap } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { TeamView } from "../../../api/teams-views.ts";
import { usePages } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { useMe } from "../../me.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { Waiting } from "../../parts/waiting.tsx";
import { texts } from "../../texts.ts";
import { TeamCard } from "./team-card.tsx";

const words = texts.teams;

interface Props {
  client: string;
  archived: boolean;
  q: string;
  /** The button that makes the first one. */
  create: ReactNode;
}

export function TeamTree({ client, archived, q, create }: Props) {
  const pages = usePages<TeamView>("teams", inClient(client, "teams"), {
    archived: archived ? "true" : "false",
    q,
    limit: 20,
  });
  if (pages.loading) return <Waiting height={140} lines={2} />;
  if (pages.items.length === 0)
    return pages.error ? <Trouble error={pages.error} again={pages.again} /> : <Nothing {...{ archived, q, create }} />;
  return (
    <Stack gap="md">
      {pages.items.map((team) => (
        <TeamCard client={client} team={team} key={team.id} />
      ))}
      <Trouble error={pages.error} again={pages.again} />
      {pages.hasMore && (
        <Button variant="default" onClick={pages.more} loading={pages.loadingMore}>
          {texts.shell.loadMore}
        </Button>
      )}
    </Stack>
  );
}

function Nothing({ archived, q, create }: Omit<Props, "client">) {
  const { role } = useMe();
  if (archived)
    return (
      <Empty title={words.noneArchived} text={words.noneArchivedText} icon={<IconArchive size={36} aria-hidden />} />
    );
  if (q) return <Empty title={words.noneFound} text={words.noneFoundText} />;
  const [title, text] =
    role === "member" ? [words.noneForMember, words.noneForMemberText] : [words.none, words.noneText];
  return <Empty title={title} text={text} action={create} icon={<IconSitemap size={36} aria-hidden />} />;
}

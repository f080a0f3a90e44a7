import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import type { ModelView } from "../../api/models-views.ts";
import { type Pages, put, usePages, useSend } from "../api.ts";
import { ofClientOrAll } from "../api-path.ts";
import { useClient, useMay } from "../me.tsx";
import { Empty } from "../parts/empty.tsx";
import { Page } from "../parts/page.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { Waiting } from "../parts/waiting.tsx";
import { texts } from "../texts.ts";
import { AddModel } from "./models/add-model.tsx";
import { ModelCard } from "./models/model-card.tsx";

const words = texts.models;

/** What answers for agents: the operator's models, or one client's own beside them. */
export default function ModelsPage() {
  const client = useClient();
  const mayShared = useMay("models.write_shared");
  const mayOwn = useMay("models.write");
  const may = client === null ? mayShared : mayOwn;
  const root = ofClientOrAll(client, "models");
  const pages = usePages<ModelView>("models", root, { limit: 50 });
  const [adding, { open, close }] = useDisclosure(false);
  const add = may && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={open}>
      {words.add}
    </Button>
  );
  const bare = !pages.loading && !pages.error && pages.items.length === 0;
  return (
    <Page
      title={words.title}
      lead={client === null ? words.leadShared : words.leadClient}
      actions={bare ? undefined : add}
    >
      {pages.loading && <Waiting height={120} />}
      <Trouble error={pages.error} again={pages.again} />
      {bare && <Empty title={words.none} text={may ? words.noneText : words.noneToRead} action={add} />}
      {client === null ? (
        <Cards label={words.list} root={root} items={pages.items} may={may} />
      ) : (
        <Both root={root} items={pages.items} may={may} />
      )}
      {pages.hasMore && <More pages={pages} />}
      {may && <AddModel root={root} client={client} opened={adding} close={close} />}
    </Page>
  );
}

/** A client's own, then the operator's. */
function Both({ root, items, may }: { root: string; items: ModelView[]; may: boolean }) {
  const own = items.filter(({ shared }) => !shared);
  const shared = items.filter((model) => model.shared);
  const follow = useSend(() => put(`${root}/default`, { model: null }), { topics: ["models"], said: words.followed });
  return (
    <>
      {own.length > 0 && (
        <Stack component="section" gap="sm" aria-label={words.own}>
          <Group justify="space-between">
            <Title order={2}>{words.own}</Title>
            {may && own.some(({ isDefault }) => isDefault) && (
              <Button variant="default" size="xs" loading={follow.isPending} onClick={() => follow.mutate(undefined)}>
                {words.followOperator}
              </Button>
            )}
          </Group>
          <Cards label={words.own} root={root} items={own} may={may} />
        </Stack>
      )}
      {shared.length > 0 && (
        <Stack component="section" gap="sm" aria-label={words.shared}>
          <Title order={2}>{words.shared}</Title>
          <Cards label={words.shared} root={root} items={shared} may={may} />
        </Stack>
      )}
    </>
  );
}

function Cards({ label, root, items, may }: { label: string; root: string; items: ModelView[]; may: boolean }) {
  return (
    <Stack component="ul" gap="sm" p={0} m={0} aria-label={label} style={{ listStyle: "none" }}>
      {items.map((model) => (
        <ModelCard key={model.id} model={model} root={root} may={may} />
      ))}
    </Stack>
  );
}

const More = ({ pages }: { pages: Pages<ModelView> }) => (
  <Group justify="space-between">
    <Text size="sm" c="dimmed">
      {texts.shell.shown(pages.items.length)}
    </Text>
    <Button variant="default" onClick={pages.more} loading={pages.loadingMore}>
      {texts.shell.loadMore}
    </Button>
  </Group>
);

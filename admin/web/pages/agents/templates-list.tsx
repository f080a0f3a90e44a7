import { Badge, Button, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import type { TemplateView } from "../../../api/templates-views.ts";
import { usePages } from "../../api.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { Waiting } from "../../parts/waiting.tsx";
import { texts } from "../../texts.ts";

/** The gallery of templates; `actions` are a card's buttons. */
export function TemplatesList({
  actions,
  columns = 3,
  order = 3,
}: {
  actions: (template: TemplateView) => ReactNode;
  columns?: number;
  /** Of the templates' headings: 2 right under a page's own. */
  order?: 2 | 3;
}) {
  const pages = usePages<TemplateView>("templates", "/templates");
  if (pages.loading) return <Waiting />;
  if (pages.error) return <Trouble error={pages.error} again={pages.again} />;
  return (
    <SimpleGrid component="ul" cols={{ base: 1, sm: 2, lg: columns }} p={0} m={0} style={{ listStyle: "none" }}>
      {pages.items.map((template) => (
        <Stack component="li" key={template.id} className="agt-card" p="md" gap="sm">
          <Group justify="space-between" gap="xs">
            <Title order={order} size="h4">
              {template.title}
            </Title>
            <Badge color="gray" variant="light" tt="none">
              {template.category}
            </Badge>
          </Group>
          <Text size="sm">{template.description}</Text>
          <div>
            <Text size="xs" c="dimmed">
              {texts.templates.asks}
            </Text>
            <ul className="agt-questions">
              {template.questions.map((question) => (
                <li key={question}>{question}</li>
              ))}
            </ul>
          </div>
          <Group mt="auto" gap="xs">
            {actions(template)}
          </Group>
        </Stack>
      ))}
    </SimpleGrid>
  );
}

/** The button that makes an agent of a template. */
export function UseTemplate({
  template,
  busy,
  use,
}: {
  template: TemplateView;
  busy: string | null;
  use: (template: TemplateView) => void;
}) {
  return (
    <Button
      size="sm"
      loading={busy === template.id}
      disabled={busy !== null && busy !== template.id}
      aria-label={`${texts.templates.make}: ${template.title}`}
      onClick={() => use(template)}
    >
      {texts.templates.make}
    </Button>
  );
}

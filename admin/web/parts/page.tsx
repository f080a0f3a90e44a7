import { Anchor, Breadcrumbs, Group, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { Link } from "wouter";
import { texts } from "../texts.ts";

export interface Crumb {
  title: string;
  /** From `to` in paths.ts. */
  to: string;
}

/** A page: its one h1, the document's title, the way here, and its main buttons on the right. */
export function Page({
  title,
  crumbs = [],
  actions,
  lead,
  children,
}: {
  title: string;
  crumbs?: readonly Crumb[];
  actions?: ReactNode;
  /** A sentence under the title, or badges. */
  lead?: ReactNode;
  children?: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · ${texts.shell.product}`;
  }, [title]);
  return (
    <Stack gap="lg">
      <Stack gap={4}>
        {crumbs.length > 0 && (
          <nav aria-label={texts.shell.breadcrumbs}>
            <Breadcrumbs separatorMargin={6}>
              {crumbs.map((crumb) => (
                <Anchor component={Link} href={crumb.to} size="sm" key={crumb.to}>
                  {crumb.title}
                </Anchor>
              ))}
            </Breadcrumbs>
          </nav>
        )}
        <Group justify="space-between" align="center" gap="sm">
          <Title order={1}>{title}</Title>
          {actions && <Group gap="xs">{actions}</Group>}
        </Group>
        {typeof lead === "string" ? <Text c="dimmed">{lead}</Text> : lead}
      </Stack>
      {children}
    </Stack>
  );
}

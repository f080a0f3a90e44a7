import { Button, Text } from "@mantine/core";
import { Link } from "wouter";
import { Page } from "../parts/page.tsx";
import { texts } from "../texts.ts";

/** An address without a page, or one that they may not see. */
export function NotFound({ text = texts.shell.notFound }: { text?: string }) {
  return (
    <Page title={texts.shell.notFoundTitle}>
      <Text>{text}</Text>
      <div>
        <Button component={Link} href="/">
          {texts.shell.toHome}
        </Button>
      </div>
    </Page>
  );
}

import { Alert, Button, Group, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { sentenceOf } from "../problem.ts";
import { texts } from "../texts.ts";

/** What did not work, as a sentence; nothing without an error. `again` offers another try. */
export function Trouble({ error, again }: { error: unknown; again?: () => void }) {
  if (!error) return null;
  return (
    <Alert color="red" icon={<IconAlertTriangle aria-hidden />} role="alert">
      <Group justify="space-between" gap="sm">
        <Text size="sm">{sentenceOf(error)}</Text>
        {again && (
          <Button size="xs" variant="default" onClick={again}>
            {texts.shell.again}
          </Button>
        )}
      </Group>
    </Alert>
  );
}

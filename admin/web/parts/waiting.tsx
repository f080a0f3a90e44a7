import { Skeleton, Stack } from "@mantine/core";
import { texts } from "../texts.ts";

/** While the first answer is on its way. */
export const Waiting = ({ lines = 3, height = 60 }: { lines?: number; height?: number }) => (
  <Stack gap="sm" role="status" aria-label={texts.shell.loading}>
    {Array.from({ length: lines }, (_, line) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
      <Skeleton key={line} height={height} radius="md" />
    ))}
  </Stack>
);

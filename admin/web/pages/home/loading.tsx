import { Skeleton, Stack } from "@mantine/core";
import { texts } from "../../texts.ts";

export const Loading = () => (
  <Stack gap="sm" role="status" aria-label={texts.shell.loading}>
    <Skeleton height={28} width={200} radius="md" />
    <Skeleton height={76} radius="md" />
    <Skeleton height={76} radius="md" />
    <Skeleton height={120} radius="md" />
  </Stack>
);

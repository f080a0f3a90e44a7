/** What differs between two definitions, field by field. The part that knows how to compare texts comes only when it is needed. */
import { Stack, Text } from "@mantine/core";
import { lazy, Suspense } from "react";
import { Waiting } from "../../parts/waiting.tsx";
import { texts } from "../../texts.ts";
import type { Definition } from "./definition.ts";
import { type Difference, differences, fieldTitle } from "./differences.ts";

const TextDiff = lazy(() => import("./text-diff.tsx"));

export const Compare = ({ from, to }: { from: Definition; to: Definition }) => (
  <Differences list={differences(from, to)} />
);

export function Differences({ list }: { list: readonly Difference[] }) {
  if (list.length === 0) return <Text c="dimmed">{texts.agents.versions.same}</Text>;
  return (
    <Suspense fallback={<Waiting lines={1} />}>
      <Stack gap="md">
        {list.map(({ field, from, to }) => (
          <div key={field}>
            <Text size="sm" fw={600} mb={4}>
              {fieldTitle(field)}
            </Text>
            <TextDiff from={from} to={to} />
          </div>
        ))}
      </Stack>
    </Suspense>
  );
}

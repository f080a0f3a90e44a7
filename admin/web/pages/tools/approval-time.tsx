import { Select, Text } from "@mantine/core";
import type { ToolSettingsView } from "../../../api/tool-settings-views.ts";
import { put, useSend } from "../../api.ts";
import { texts } from "../../texts.ts";

const words = texts.toolSettings.approvals;

/** How long a question to people waits. Saved as it is chosen. */
export function ApprovalTime({ path, minutes, may }: { path: string; minutes: number; may: boolean }) {
  const saving = useSend((approvalMinutes: number) => put<ToolSettingsView>(path, { approvalMinutes }), {
    topics: ["tools"],
    said: words.saved,
  });
  const times: Record<string, string> = words.times;
  const now = String(minutes);
  const label = times[now] ?? words.minutes(minutes);
  if (!may) return <Text>{label}</Text>;
  // A time set by the API stands beside those that are offered.
  const offered = Object.entries({ [now]: label, ...times }).map(([value, label]) => ({ value, label }));
  return (
    <Select
      label={words.label}
      maw={300}
      data={offered.sort((a, b) => Number(a.value) - Number(b.value))}
      value={now}
      allowDeselect={false}
      disabled={saving.isPending}
      onChange={(value) => value !== null && value !== now && saving.mutate(Number(value))}
    />
  );
}

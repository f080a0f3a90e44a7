import { Box, Group, Stack, Text } from "@mantine/core";
import type { RunView } from "../../../api/runs-views.ts";
import { StateBadge, type Tone } from "../../parts/state-badge.tsx";
import { texts } from "../../texts.ts";
import { Faint } from "./steps.tsx";

const words = texts.runs.run;
type CallView = RunView["calls"][number];
const TONES: Record<CallView["state"], Tone> = {
  open: "busy",
  ok: "good",
  aborted: "warn",
  failed: "bad",
  lost: "bad",
};

/** One model call: a bar where it stands in the run's time, its tokens, how it ended. */
export function Call({ run, call }: { run: RunView; call: CallView }) {
  const cached = call.cachedTokens > 0 ? words.cached(call.cachedTokens) : null;
  const thoughts = call.reasoningTokens > 0 ? words.reasoning(call.reasoningTokens) : null;
  const facts = [
    words.tokens(call.inputTokens, call.outputTokens),
    cached,
    thoughts,
    call.firstTokenMs === null ? null : words.firstToken(call.firstTokenMs),
    call.durationMs === null ? null : words.inAll(call.durationMs),
    call.result ? words.result(call.result) : null,
  ].filter((fact) => fact !== null);
  return (
    <Stack gap={6} className="agt-card" p="sm">
      <Group gap="xs">
        <StateBadge tone={TONES[call.state]}>{words.callStates[call.state]}</StateBadge>
        <Text size="sm">{facts.join(" · ")}</Text>
      </Group>
      <Bar run={run} call={call} />
      {call.estimated && call.state !== "open" && <Faint>{words.estimated}</Faint>}
    </Stack>
  );
}

/** Lighter until the first token, darker while it wrote. */
function Bar({ run, call }: { run: RunView; call: CallView }) {
  const asked = Date.parse(run.question.at);
  const end = Math.max(...run.moments.map(({ sinceMs }) => sinceMs), 1);
  if (call.durationMs === null) return null;
  const from = Math.max(0, Date.parse(call.at) - asked);
  const whole = Math.max(end, from + call.durationMs);
  const percent = (ms: number) => `${Math.max(0, Math.min(100, (100 * ms) / whole))}%`;
  const quiet = Math.min(call.firstTokenMs ?? call.durationMs, call.durationMs);
  const part = (left: number, ms: number, color: string) => (
    <div
      style={{
        position: "absolute",
        left: percent(left),
        width: percent(ms),
        minWidth: 2,
        height: "100%",
        background: color,
      }}
    />
  );
  return (
    <Box
      role="img"
      aria-label={words.bar(from, call.durationMs)}
      style={{ position: "relative", height: 10, borderRadius: 5, overflow: "hidden", background: "var(--agt-line)" }}
    >
      {part(from, quiet, "var(--mantine-color-blue-4)")}
      {call.durationMs > quiet && part(from + quiet, call.durationMs - quiet, "var(--mantine-color-leaf-6)")}
    </Box>
  );
}

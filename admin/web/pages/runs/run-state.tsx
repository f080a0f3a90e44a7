import type { RunItem } from "../../../api/runs-views.ts";
import { StateBadge, type Tone } from "../../parts/state-badge.tsx";
import { texts } from "../../texts.ts";

const TONES: Record<RunItem["state"], Tone> = {
  queued: "quiet",
  running: "busy",
  waiting: "warn",
  done: "good",
  stopped: "warn",
  superseded: "quiet",
  failed: "bad",
};

/** The state of a run as a word. */
export const RunState = ({ state }: { state: RunItem["state"] }) => (
  <StateBadge tone={TONES[state]}>{texts.runs.states[state]}</StateBadge>
);

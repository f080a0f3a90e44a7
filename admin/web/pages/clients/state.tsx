import type { ClientState } from "../../../api/clients-views.ts";
import { StateBadge, type Tone } from "../../parts/state-badge.tsx";
import { texts } from "../../texts.ts";

export const TONES: Record<ClientState, Tone> = {
  creating: "busy",
  starting: "busy",
  running: "good",
  stopped: "quiet",
  restarting: "warn",
  crash_loop: "bad",
  failed: "bad",
  removing: "warn",
};

/** How a homeserver is, in a word. */
export const HomeserverState = ({ state }: { state: ClientState }) => (
  <StateBadge tone={TONES[state]}>{texts.clients.states[state]}</StateBadge>
);

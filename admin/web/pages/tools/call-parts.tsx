import { Alert, Stack, Text } from "@mantine/core";
import { IconShieldQuestion } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { CallView } from "../../../api/tools-views.ts";
import { StateBadge, type Tone } from "../../parts/state-badge.tsx";
import { texts } from "../../texts.ts";
import { Arguments } from "./arguments.tsx";

const words = texts.tools.call;

const TONES: Record<CallView["state"], Tone> = {
  proposed: "quiet",
  waiting: "warn",
  approved: "busy",
  running: "busy",
  done: "good",
  failed: "bad",
  refused: "warn",
  declined: "warn",
  unknown: "bad",
  stopped: "quiet",
};

export const CallState = ({ state }: { state: CallView["state"] }) => (
  <StateBadge tone={TONES[state]}>{words.states[state]}</StateBadge>
);

/** Something that nobody vouches for. */
export const Untrusted = ({ children }: { children: string }) => (
  <Alert color="yellow" p="xs" icon={<IconShieldQuestion size={18} aria-hidden />}>
    {children}
  </Alert>
);

type Texts = Pick<CallView, "arguments" | "labels" | "result" | "erased" | "untrusted">;

/** What a call was given and what came back. */
export function CallTexts({ call }: { call: Texts }) {
  if (call.erased) return <Faint>{words.erased}</Faint>;
  return (
    <Stack gap="xs">
      <Named title={words.arguments}>
        {call.arguments ? (
          <Arguments value={call.arguments} labels={call.labels} label={words.arguments} exact={false} />
        ) : (
          <Faint>{words.noArguments}</Faint>
        )}
      </Named>
      <Named title={words.result}>
        {call.untrusted && <Untrusted>{words.untrusted(call.untrusted)}</Untrusted>}
        {call.result === null ? <Faint>{words.noResult}</Faint> : <Result text={call.result} />}
      </Named>
      <Text size="xs" c="dimmed">
        {words.redacted}
      </Text>
    </Stack>
  );
}

export const Result = ({ text }: { text: string }) => (
  <Text
    size="sm"
    className="agt-card"
    p="xs"
    tabIndex={0}
    role="region"
    aria-label={words.result}
    style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere", maxHeight: 320, overflowY: "auto" }}
  >
    {text}
  </Text>
);

const Named = ({ title, children }: { title: string; children: ReactNode }) => (
  <Stack gap={4}>
    <Text size="sm" fw={600}>
      {title}
    </Text>
    {children}
  </Stack>
);

const Faint = ({ children }: { children: string }) => (
  <Text size="sm" c="dimmed">
    {children}
  </Text>
);

import "./clients.css";
import { Alert, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlayerPause, IconPlayerPlay, IconSearch } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { texts } from "../../texts.ts";
import { type Line, useLog } from "./use-log.ts";

const words = texts.clients.log;

/** The log as it grows, with pause and search. Opened when somebody wants to see it. */
export function LogViewer({ client }: { client: string }) {
  const [shown, { toggle }] = useDisclosure(false);
  const [paused, { toggle: togglePause, close: goOn }] = useDisclosure(false);
  const [wanted, setWanted] = useState("");
  const log = useLog(client, shown, paused);
  const needle = wanted.trim().toLowerCase();
  const lines = needle ? log.lines.filter(({ text }) => text.toLowerCase().includes(needle)) : log.lines;
  return (
    <Stack gap="sm" align="stretch">
      <Group gap="xs">
        <Button
          variant="default"
          size="xs"
          aria-expanded={shown}
          onClick={() => {
            goOn();
            toggle();
          }}
        >
          {shown ? words.close : words.open}
        </Button>
        {shown && (
          <Button
            variant="default"
            size="xs"
            leftSection={paused ? <IconPlayerPlay size={16} aria-hidden /> : <IconPlayerPause size={16} aria-hidden />}
            onClick={togglePause}
          >
            {paused ? words.resume : words.pause}
          </Button>
        )}
        {paused && log.waiting > 0 && (
          <Text size="sm" aria-live="polite">
            {words.waiting(log.waiting)}
          </Text>
        )}
      </Group>
      {shown && (
        <>
          <TextInput
            size="xs"
            aria-label={words.search}
            placeholder={words.search}
            leftSection={<IconSearch size={14} aria-hidden />}
            value={wanted}
            maxLength={200}
            onChange={(event) => setWanted(event.currentTarget.value)}
          />
          {log.state === "lost" && <Alert color="yellow">{words.lost}</Alert>}
          {log.state === "failed" && <Alert color="red">{words.failed}</Alert>}
          <Lines lines={lines} follow={!paused} empty={needle ? words.noneFits : words.empty} />
        </>
      )}
    </Stack>
  );
}

/** Scrolls along while its end is in sight. */
function Lines({ lines, follow, empty }: { lines: readonly Line[]; follow: boolean; empty: string }) {
  const box = useRef<HTMLElement>(null);
  const atEnd = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are what it scrolls for
  useEffect(() => {
    if (follow && atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines, follow]);
  return (
    <section
      ref={box}
      className="agt-log"
      aria-label={words.lines}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < 40;
      }}
    >
      {lines.length === 0 ? empty : lines.map(({ id, text }) => <div key={id}>{text}</div>)}
    </section>
  );
}

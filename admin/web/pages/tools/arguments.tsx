import { Badge, Box, Button, Code, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconBraces, IconListDetails } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Exact, Removed } from "../../parts/exact.tsx";
import { exactJson } from "../../parts/signs.ts";
import { texts } from "../../texts.ts";
import { type Shape, shapeOf, sizeOf, wordOf } from "./shape.ts";

const words = texts.tools.signs;

interface Props {
  value: Record<string, unknown>;
  /** What people call them, by their names, in the tool's order. */
  labels: Record<string, string>;
  /** What stands here, for screen readers. */
  label: string;
  /** Nothing was taken out of them. */
  exact: boolean;
}

/** Arguments as people read them: all of them, and no two values alike. As JSON for those who want to see exactly what is sent. */
export function Arguments({ value, labels, label, exact }: Props) {
  const [asJson, { toggle }] = useDisclosure(false);
  const all = inOrder(value, Object.keys(labels));
  if (all.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {words.none}
      </Text>
    );
  return (
    <Stack gap={6} role="group" aria-label={label}>
      {asJson ? (
        <Json value={Object.fromEntries(all)} label={label} />
      ) : (
        <Stack component="dl" gap="sm" m={0}>
          {all.map(([name, item]) => (
            <Argument key={name} name={name} label={labels[name]} shape={shapeOf(item, exact)} />
          ))}
        </Stack>
      )}
      <div>
        <Button
          size="compact-xs"
          variant="subtle"
          color="gray"
          fw={400}
          ml={-8}
          leftSection={asJson ? <IconListDetails size={14} aria-hidden /> : <IconBraces size={14} aria-hidden />}
          onClick={toggle}
        >
          {asJson ? words.asText : words.asJson}
        </Button>
      </div>
    </Stack>
  );
}

/** All of them: those that the tool does not know come last. */
function inOrder(value: Record<string, unknown>, names: string[]): [string, unknown][] {
  const known = names.filter((name) => Object.hasOwn(value, name));
  const others = Object.keys(value).filter((name) => !known.includes(name));
  return [...known, ...others].map((name) => [name, value[name]]);
}

function Argument({ name, label, shape }: { name: string; label: string | undefined; shape: Shape }) {
  const word = wordOf(name);
  const title = label === undefined || label === name ? word : label;
  // Two may be called the same: then their names tell them apart.
  const named = title.toLowerCase() !== word.toLowerCase();
  return (
    <div>
      <Text component="dt" size="sm" c="dimmed" fw={500} mb={2}>
        <Exact text={title} />
        {named && (
          <Text component="span" size="xs" c="dimmed" ff="monospace" fw={400} ml={6}>
            <Exact text={name} />
          </Text>
        )}
      </Text>
      <Box component="dd" m={0}>
        <Value shape={shape} label={title} />
      </Box>
    </div>
  );
}

function Value({ shape, label }: { shape: Shape; label: string }) {
  switch (shape.as) {
    case "removed":
      return <Removed />;
    case "word":
      return (
        <Text size="sm" component="span">
          {words.word(shape.word)}
          <Kind apart>{words.kinds[shape.kind]}</Kind>
        </Text>
      );
    case "text":
      return <Quoted shape={shape} label={label} />;
    case "list":
      return <List items={shape.items} label={label} />;
    case "code":
      return <Json value={shape.value} label={label} />;
  }
}

/** What somebody else wrote, set off from what is ours. */
function Quoted({ shape: { text, code, kind }, label }: { shape: Extract<Shape, { as: "text" }>; label: string }) {
  const size = sizeOf(text);
  return (
    <>
      <Scrolled when={size !== null} label={label} className={code ? "agt-quote agt-code" : "agt-quote"}>
        {text !== "" && <Exact text={text} />}
        {kind && <Kind apart={text !== ""}>{words.kinds[kind]}</Kind>}
      </Scrolled>
      {size && (
        <Text size="xs" c="dimmed">
          {words.size(size.signs, size.lines)}
        </Text>
      )}
    </>
  );
}

const MOST_ITEMS = 12;

function List({ items, label }: { items: Shape[]; label: string }) {
  return (
    <>
      <Scrolled when={items.length > MOST_ITEMS} label={label}>
        <ul className="agt-items">
          {items.map((item, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a list that does not change
            <li key={at}>
              <Value shape={item} label={label} />
            </li>
          ))}
        </ul>
      </Scrolled>
      {items.length > MOST_ITEMS && (
        <Text size="xs" c="dimmed">
          {words.items(items.length)}
        </Text>
      )}
    </>
  );
}

/** What is long is read within a frame, by the keyboard too: so everything after it stays in sight. */
function Scrolled(props: { when: boolean; label: string; className?: string; children: ReactNode }) {
  const { when, label, className, children } = props;
  if (!when) return <div className={className}>{children}</div>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by the keyboard
    <section className={`agt-scrolled ${className ?? ""}`} tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}

const Json = ({ value, label }: { value: unknown; label: string }) => (
  <Code block tabIndex={0} role="region" aria-label={label} className="agt-scrolled agt-code">
    {/* Each text turns within itself only. */}
    {exactJson(value)
      .split(/("(?:[^"\\]|\\.)*")/)
      .map((token, at) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text have their places for ever
        token.startsWith('"') ? <bdi key={at}>{token}</bdi> : token,
      )}
  </Code>
);

/** What kind of value it is, where its look does not say it. */
const Kind = ({ apart, children }: { apart: boolean; children: string }) => (
  <Badge variant="default" size="xs" radius="sm" tt="none" fw={500} component="span" ml={apart ? 8 : 0}>
    {children}
  </Badge>
);

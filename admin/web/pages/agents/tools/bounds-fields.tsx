import { Group, NumberInput, Select, Stack, Textarea } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { texts } from "../../../texts.ts";
import { type Bounds, linesOf } from "./bounds.ts";

const words = texts.tools.field;
const LIMITS = ["perRun", "perHour", "perDay", "tokensPerDay"] as const;
const LEVELS = [0, 50, 100] as const;

interface Props {
  bounds: Bounds;
  /** What the lists mean here; null: nothing can be listed. */
  patterns: string | null;
  /** Field → sentence. */
  errors: Record<string, string>;
  onChange: (part: Partial<Record<keyof Bounds, unknown>>) => void;
}

/** What may be touched, how often, and who approves. */
export function BoundsFields({ bounds, patterns, errors, onChange }: Props) {
  return (
    <Stack gap="sm">
      {patterns !== null && (
        <Group align="flex-start" gap="sm">
          <Lines
            label={words.allow}
            help={`${patterns} ${words.allowEmpty}`}
            lines={bounds.allow ?? []}
            error={errors.allow}
            onChange={(allow) => onChange({ allow })}
          />
          <Lines
            label={words.refuse}
            help={words.refuseHelp}
            lines={bounds.refuse ?? []}
            error={errors.refuse}
            onChange={(refuse) => onChange({ refuse })}
          />
        </Group>
      )}
      <Group align="flex-end" gap="sm">
        {LIMITS.map((limit) => (
          <NumberInput
            key={limit}
            flex="1 1 9.5rem"
            label={words[limit]}
            placeholder={words.noLimit}
            value={bounds[limit] ?? ""}
            min={1}
            allowDecimal={false}
            allowNegative={false}
            thousandSeparator=" "
            hideControls
            error={errors[limit]}
            onChange={(value) => onChange({ [limit]: value === "" ? undefined : Number(value) })}
          />
        ))}
      </Group>
      <Level level={bounds.level} error={errors.level} onChange={(level) => onChange({ level })} />
    </Stack>
  );
}

interface LevelProps {
  level: number | undefined;
  error: string | undefined;
  onChange: (level: number | undefined) => void;
}

function Level({ level, error, onChange }: LevelProps) {
  const data = LEVELS.map((value) => ({ value: String(value), label: words.levels[value] }));
  if (level !== undefined && !LEVELS.some((value) => value === level))
    data.push({ value: String(level) as never, label: words.levelOther(level) as never });
  return (
    <Select
      label={words.level}
      description={words.levelHelp}
      data={data}
      value={String(level ?? 50)}
      allowDeselect={false}
      maw={360}
      error={error}
      onChange={(next) => onChange(next === null || next === "50" ? undefined : Number(next))}
    />
  );
}

interface LinesProps {
  label: string;
  help: string;
  lines: readonly string[];
  error: string | undefined;
  onChange: (lines: string[]) => void;
}

/** One a line. What is typed stays as it is typed while it says the same. */
function Lines({ label, help, lines, error, onChange }: LinesProps) {
  const [text, setText] = useState(() => lines.join("\n"));
  const typed = useRef(text);
  typed.current = text;
  useEffect(() => {
    if (linesOf(typed.current).join("\n") !== lines.join("\n")) setText(lines.join("\n"));
  }, [lines]);
  return (
    <Textarea
      flex="1 1 14rem"
      label={label}
      description={help}
      value={text}
      autosize
      minRows={2}
      maxRows={10}
      error={error}
      autoCapitalize="none"
      spellCheck={false}
      onChange={(event) => {
        setText(event.currentTarget.value);
        onChange(linesOf(event.currentTarget.value));
      }}
    />
  );
}

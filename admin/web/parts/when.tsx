import { Text, Tooltip } from "@mantine/core";
import { useEffect, useState } from "react";
import { texts } from "../texts.ts";

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "long" });
const STEPS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/** A moment in the viewer's zone, exactly. */
export const exactTime = (at: string | number | Date): string => exact.format(new Date(at));

/** How long ago, or until then. */
function relativeTime(at: string | number | Date, now = Date.now()): string {
  const seconds = Math.round((new Date(at).getTime() - now) / 1000);
  for (const [unit, size] of STEPS)
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  return relative.format(Math.abs(seconds) < 10 ? 0 : seconds, "second");
}

/** "3 hours ago", with the exact time of the viewer's zone beside the pointer. `exactly` writes that instead. */
export function When({ at, exactly = false }: { at: string | null | undefined; exactly?: boolean }) {
  useNow(30_000);
  if (!at) return <Text span>{texts.shell.never}</Text>;
  if (exactly) return <time dateTime={at}>{exactTime(at)}</time>;
  return (
    <Tooltip label={exactTime(at)} withinPortal>
      <time dateTime={at}>{relativeTime(at)}</time>
    </Tooltip>
  );
}

/** Draws again from time to time, so that "a minute ago" stays true. */
function useNow(everyMs: number): void {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
}

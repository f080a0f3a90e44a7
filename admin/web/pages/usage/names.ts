import type { UsageView } from "../../../api/usage.ts";
import { texts } from "../../texts.ts";

const words = texts.usage;

/** What a row or a part of the chart is called. */
export function nameOf(by: UsageView["by"], { key, name }: { key: string | null; name: string }): string {
  if (key === null) return by === "day" ? words.all : words.rest;
  if (key === "") return words.unknown;
  if (by === "room" && key === "try") return words.tried;
  return by === "day" ? shortDay(key) : name;
}

const format = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
export const shortDay = (day: string): string => format.format(new Date(day));

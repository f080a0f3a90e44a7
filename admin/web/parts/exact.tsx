import { Text } from "@mantine/core";
import { texts } from "../texts.ts";
import { type Part, partsOf, type Sign } from "./signs.ts";

const words = texts.tools.signs;

/** A text of somebody else, in which nothing hides and nothing turns what stands around it. */
export const Exact = ({ text }: { text: string }) => (
  <bdi>
    {partsOf(text).map((part, at) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text have their places for ever
      <Drawn key={at} part={part} />
    ))}
  </bdi>
);

function Drawn({ part }: { part: Part }) {
  if (!("sign" in part)) return part.text;
  const { sign, text } = part;
  const quiet = sign.kind === "space" || sign.kind === "line" || text === "\t";
  return (
    <>
      <span className="agt-sign" data-quiet={quiet} role="img" aria-label={nameOf(sign)} title={nameOf(sign)}>
        {markOf(sign)}
      </span>
      {/* What it moves stands where it does in the text. */}
      {text === "\t" ? text : sign.kind === "line" || sign.kind === "lines" ? "\n" : null}
    </>
  );
}

function markOf(sign: Sign): string {
  switch (sign.kind) {
    case "hidden":
      return sign.code === "U+0009" ? "⇥" : sign.code;
    case "space":
      return "␣";
    case "line":
      return "↵";
    default:
      return nameOf(sign);
  }
}

function nameOf(sign: Sign): string {
  if (sign.kind === "hidden") return words.hidden(sign.code);
  return sign.kind === "spaces" || sign.kind === "lines" ? words[sign.kind](sign.count) : words[sign.kind];
}

/** What was taken out stands there as taken out. */
export const Removed = () => (
  <Text component="span" size="sm" c="dimmed" fs="italic">
    {words.removed}
  </Text>
);

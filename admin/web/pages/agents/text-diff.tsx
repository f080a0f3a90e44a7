/** Two texts line by line, and within a changed line word by word; what is the same is folded. */
import { diffLines, diffWordsWithSpace } from "diff";
import type { ReactNode } from "react";
import { texts } from "../../texts.ts";

const words = texts.agents.diff;
/** Unchanged lines shown beside a change. */
const AROUND = 2;

export default function TextDiff({ from, to }: { from: string; to: string }) {
  return <div className="agt-diff">{rowsOf(from, to)}</div>;
}

interface Part {
  kind: "same" | "removed" | "added";
  lines: string[];
}

function rowsOf(from: string, to: string): ReactNode[] {
  if (from === "" || to === "")
    return [
      ...(from === "" ? [] : [row("removed", from, "from")]),
      ...(to === "" ? [row("same", words.nothing, "nothing")] : [row("added", to, "to")]),
    ];
  const parts = partsOf(from, to);
  const rows: ReactNode[] = [];
  for (const [at, part] of parts.entries()) {
    const next = parts[at + 1];
    if (part.kind === "same") rows.push(...folded(part.lines, at, parts.length));
    else if (part.kind === "removed" && next?.kind === "added") rows.push(...changed(part.lines, next.lines, at));
    else if (part.kind === "removed" || parts[at - 1]?.kind !== "removed")
      rows.push(row(part.kind, part.lines.join("\n"), `${at}`));
  }
  return rows;
}

const partsOf = (from: string, to: string): Part[] =>
  diffLines(`${from}\n`, `${to}\n`).map(({ value, added, removed }) => ({
    kind: added ? "added" : removed ? "removed" : "same",
    lines: value.replace(/\n$/, "").split("\n"),
  }));

function folded(lines: string[], at: number, parts: number): ReactNode[] {
  const head = at === 0 ? 0 : AROUND;
  const tail = at === parts - 1 ? 0 : AROUND;
  if (lines.length <= head + tail + 1) return [row("same", lines.join("\n"), `${at}`)];
  const hidden = lines.length - head - tail;
  return [
    ...(head > 0 ? [row("same", lines.slice(0, head).join("\n"), `${at}h`)] : []),
    <div key={`${at}f`} className="agt-diff-fold">
      {words.unchanged(hidden)}
    </div>,
    ...(tail > 0 ? [row("same", lines.slice(-tail).join("\n"), `${at}t`)] : []),
  ];
}

function changed(before: string[], after: string[], at: number): ReactNode[] {
  const parts = diffWordsWithSpace(before.join("\n"), after.join("\n"));
  const side = (wanted: "added" | "removed") =>
    parts
      .filter((part) => (wanted === "added" ? !part.removed : !part.added))
      .map((part, index) =>
        part[wanted] ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: two texts that do not change
          <mark key={index}>{part.value}</mark>
        ) : (
          part.value
        ),
      );
  return [row("removed", side("removed"), `${at}-`), row("added", side("added"), `${at}+`)];
}

const SIGNS = { same: " ", removed: "−", added: "+" };

function row(kind: Part["kind"], content: ReactNode, key: string): ReactNode {
  const body = (
    <>
      <span className="agt-diff-sign">
        {SIGNS[kind]}
        {kind !== "same" && <span className="agt-sr">{words[kind]}</span>}
      </span>
      <span>{content}</span>
    </>
  );
  if (kind === "added")
    return (
      <ins key={key} className="agt-diff-row">
        {body}
      </ins>
    );
  if (kind === "removed")
    return (
      <del key={key} className="agt-diff-row">
        {body}
      </del>
    );
  return (
    <div key={key} className="agt-diff-row">
      {body}
    </div>
  );
}

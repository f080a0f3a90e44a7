import { Fragment } from "react";

/** Longer ones may be broken; others stand whole, whatever stands beside them. */
const LONGEST_WORD = 18;
const PIECE = 3;

/**
 * A name in a table or a list. A table's columns are at least as wide as the longest word in them; a word without end, as names and paths may be, is one that can
 * be broken, so that it does not take the others' room.
 */
export const Name = ({ children: name }: { children: string }) => {
  const pieces = name
    .split(/(\s+)/)
    .flatMap((word) => (word.length > LONGEST_WORD ? [...piecesOf(word)] : [{ text: word, breaks: false }]));
  return pieces.map(({ text, breaks }, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text have their places for ever
    <Fragment key={at}>
      {text}
      {breaks && <wbr />}
    </Fragment>
  ));
};

function* piecesOf(word: string) {
  const signs = [...word];
  for (let at = 0; at < signs.length; at += PIECE)
    yield { text: signs.slice(at, at + PIECE).join(""), breaks: at + PIECE < signs.length };
}

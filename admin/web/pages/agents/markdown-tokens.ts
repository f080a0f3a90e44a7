/** An answer taken apart. A model may write what no browser can draw: thousands of quotes within one another. */
import { lexer, type Token } from "marked";

/** So many quotes and lists within one another, on one line. */
const TOO_DEEP = /^(?:[ \t]*(?:>|[-*+][ \t]|\d{1,9}[.)][ \t])){30}/m;

/** Null for a text that is only to be shown as it is written. */
export function tokensOf(text: string): Token[] | null {
  if (TOO_DEEP.test(text)) return null;
  try {
    return lexer(text);
  } catch (error) {
    if (error instanceof RangeError) return null; // deeper than it can be read
    throw error;
  }
}

/**
 * A text as it may stand within one line of a message: what breaks lines, hides or turns the direction of writing is a space, and what is longer than `most`
 * characters ends with "…". Pure.
 */
export function oneLine(text: unknown, most = 80): string {
  const plain = String(text ?? "")
    .normalize("NFC")
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\s]+/gu, " ")
    .trim();
  const characters = [...plain.slice(0, most * 2 + 2)];
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : plain;
}

/** How long a text is, for sentences beside which it stands itself: "1 character", "1,240 characters". */
export function characters(text: unknown): string {
  const count = [...String(text ?? "")].length;
  return count === 1 ? "1 character" : `${count.toLocaleString("en")} characters`;
}

/** As much of a text from `from` on as fits into `most` characters, with a remark where to go on. Pure. */
export function partOf(text: string, from: number, most: number): string {
  if (from >= text.length && from > 0) return `[It ends before that: it has ${text.length} characters.]`;
  const end = from + Math.max(most - REMARK, 1);
  if (text.length <= end) return text.slice(from);
  const whole = startsLate(text, end) ? end - 1 : end;
  const to = whole > from ? whole : end + 1;
  return `${text.slice(from, to)}\n\n[${to} of ${text.length} characters. Go on with from: ${to}.]`;
}

const REMARK = 80;

/** Between the halves of one character. */
const startsLate = (text: string, at: number) => /[\udc00-\udfff]/.test(text.charAt(at));

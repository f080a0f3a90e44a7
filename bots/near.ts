/** Which of the words that there are somebody may have meant by one that there is not. Pure. */

const SHORTEST = 4;

/**
 * The nearest one, whatever the case of letters; null where none is near. Words of up to five letters may have one slip, longer ones two: with two slips
 * "hello" would be "help". Shorter ones than four letters are near to too much.
 */
export function nearestWord(word: string, words: readonly string[]): string | null {
  const typed = word.toLowerCase();
  let nearest: { word: string; slips: number } | null = null;
  for (const candidate of words) {
    const length = Math.min(typed.length, candidate.length);
    const most = length <= 5 ? 1 : 2;
    if (length < SHORTEST || Math.abs(typed.length - candidate.length) > most) continue;
    const slips = slipsBetween(typed, candidate);
    if (slips <= most && slips < (nearest?.slips ?? Number.POSITIVE_INFINITY)) nearest = { word: candidate, slips };
  }
  return nearest?.word ?? null;
}

/** Letters that are added, left out, changed, or change places with the next one (optimal string alignment). */
function slipsBetween(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(before, j - 2) + 1 : changed;
      row.push(Math.min(at(last, j) + 1, at(row, j - 1) + 1, changed, swapped));
    }
    [before, last] = [last, row];
  }
  return at(last, b.length);
}

const at = (row: number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY;

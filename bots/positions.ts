/** Places in the inbox are large numbers close to each other: kept as distances they take a few bytes each. */

/** The first number, then each one's distance from the one before it. */
export const distances = (positions: readonly number[]): number[] =>
  positions.map((position, index) => position - (positions[index - 1] ?? 0));

/** What `distances` was made from. */
export function positionsOf(distances: readonly number[]): number[] {
  let position = 0;
  return distances.map((distance) => {
    position += distance;
    return position;
  });
}

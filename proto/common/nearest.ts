/** The known name that was probably meant. */

/** Undefined when none is near enough to be a slip of the fingers: about one letter in three. */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor([...typed].length / 3));
  const ranked = [...new Set(known)]
    .map((name) => ({ name, distance: distanceOf(typed.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((left, right) => left.distance - right.distance);
  return ranked[0]?.name;
}

/** Letters to insert, drop, change, or swap with their neighbour. */
function distanceOf(left: string, right: string): number {
  const [from, to] = [[...left], [...right]];
  const rows: number[][] = [to.map((_, index) => index).concat(to.length)];
  for (let row = 1; row <= from.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const at = (up: number, back: number) =>
        (up === 0 ? line : rows[row - up])?.[column - back] ?? Number.MAX_VALUE;
      line.push(
        Math.min(
          at(1, 0) + 1,
          at(0, 1) + 1,
          at(1, 1) + (same ? 0 : 1),
          swapped ? at(2, 2) + 1 : Number.MAX_VALUE,
        ),
      );
    }
    rows.push(line);
  }
  return rows.at(-1)?.at(-1) ?? 0;
}

/** Many names in one line. */

const namesShown = 3;

/** All of few, the first of many with their number. */
export function fewOf(names: readonly string[], most = 8): string {
  if (names.length <= most) return names.join(", ");
  return `${names.slice(0, namesShown).join(", ")} … ${names.at(-1)} (${names.length})`;
}

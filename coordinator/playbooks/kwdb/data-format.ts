/**
 * Which hops leave the format of the data folder alone, so that the old programs may be started on it again. From the
 * vendor's source: the internal cluster version is one and the same in all of 2.2, and in all of 3.0 to 3.2; between
 * 2.x and 3.x it is raised once, and never goes back. The vendor documents no downgrade in place of either.
 */
const unchanged: readonly (readonly [from: RegExp, to: RegExp])[] = [
  [/^2\.2\.\d+$/, /^2\.2\.\d+$/],
  [/^3\.[0-2]\.\d+$/, /^3\.[0-2]\.\d+$/],
];

export function keepsDataFormat(from: string, to: string): boolean {
  return unchanged.some(([old, next]) => old.test(from) && next.test(to));
}

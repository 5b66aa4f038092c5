/** Which snapshots may go: beyond the count or the age, but never one that a kept rollout points at. */

export interface Retention {
  readonly keepCount: number;
  readonly keepMs: number;
}

export interface Stored {
  readonly id: string;
  readonly storedAtMs: number;
}

/** Ids to remove. The newest is always kept. */
export function expired(
  stored: readonly Stored[],
  pinned: ReadonlySet<string>,
  { keepCount, keepMs }: Retention,
  nowMs: number,
): readonly string[] {
  const newestFirst = [...stored].sort((left, right) => right.storedAtMs - left.storedAtMs);
  return newestFirst
    .filter(
      ({ id, storedAtMs }, index) =>
        index > 0 && !pinned.has(id) && (index >= keepCount || nowMs - storedAtMs > keepMs),
    )
    .map(({ id }) => id);
}

/** Snapshots of the whole fleet on a schedule, while this coordinator leads. */
import type { Clock } from "#proto/common/clock.ts";
import type { Log } from "#proto/common/log.ts";
import type { InventoryBook } from "../engine/orders/inventory-book.ts";
import type { Snapshots } from "../engine/snapshots.ts";

interface RegularMeans {
  readonly everyMs: number;
  readonly clock: Clock;
  readonly leads: () => boolean;
  readonly log: Log;
}

export async function takeRegularly(
  snapshots: Snapshots,
  inventory: InventoryBook,
  { everyMs, clock, leads, log }: RegularMeans,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal).catch(() => undefined);
    if (signal.aborted || !leads() || inventory.clusters().length === 0) continue;
    await snapshots
      .take(inventory.clusters(), { by: "schedule", reason: "on schedule" })
      .catch((error: unknown) => log.warn({ cause: String(error) }, "scheduled snapshot failed"));
  }
}

/** What is known of archives before one is made: room, how fast it will be, and those that are there. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { KwdbFull } from "#proto/engines/kwdb.ts";
import type { Known, Take } from "../measure.ts";
import type { ArchiveRate } from "./archive-rate.ts";
import { archivesIn, toldOf } from "./archive-record.ts";
import { notApplicable } from "./host-facts.ts";
import type { Installation } from "./installation.ts";
import type { KwdbSettings } from "./settings.ts";
import { freeBytes, usedBytes } from "./space.ts";
import { onlyStore } from "./stores.ts";

type Facts = Required<Pick<KwdbFull, "archive" | "archives" | "archiveRate">>;

export interface ArchiveMeans {
  readonly settings: KwdbSettings;
  readonly rate: ArchiveRate;
}

export async function archiveFacts(
  here: Installation,
  { settings: { archiveDir: folder }, rate }: ArchiveMeans,
  { take, signal }: { readonly take: Take; readonly signal: AbortSignal },
): Promise<Facts> {
  const { host } = here;
  if (folder === undefined) {
    const none = notApplicable(host, "this agent's file names no archiveDir");
    return { archive: none, archives: none, archiveRate: none };
  }
  const room = roomFor(here, folder);
  const [archive, archives, archiveRate] = await Promise.all([
    take(() => room),
    take(async () => {
      const found = await archivesIn(host, folder);
      return found.ok ? succeed(found.value.map(toldOf)) : found;
    }),
    take(async () => {
      const known = await room;
      // nothing is written to a disk for an answer that would say nothing
      return known.ok ? rate.read(host, folder, signal) : fail("kwdb.archive-size-unknown", {});
    }),
  ]);
  return { archive, archives, archiveRate };
}

/** Room for a copy of the data folder, uncompressed: how well it compresses is not known before. */
async function roomFor(here: Installation, folder: string): Promise<Outcome<Known<KwdbFull["archive"]>>> {
  const { host } = here;
  const place = await here.data();
  if (!place.ok) return place;
  const root = await onlyStore(here, place.value.root);
  if (!root.ok) return root;
  const [free, used] = await Promise.all([freeBytes(host, folder), usedBytes(host, root.value)]);
  if (!free.ok) return free;
  return used.ok ? succeed({ folder, availableBytes: free.value, dataBytes: used.value }) : used;
}

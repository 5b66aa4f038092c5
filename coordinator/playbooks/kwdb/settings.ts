/** What a cluster's entry may say for this playbook, under `settings`. A word that is not known is refused, not ignored. */
import { parseDuration } from "#proto/common/duration.ts";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { ClusterEntry } from "../../domain/inventory.ts";

export interface KwdbClusterSettings {
  /** Each node's data folder is archived on the node while it is stopped. */
  readonly archiveData: boolean;
  /** How many proven archives of a node stay, the present one with them; undefined: none is removed. */
  readonly keepArchives?: number;
  /** `server.time_until_store_dead` may be raised while a node is away, where it would be away for longer. */
  readonly raiseStoreDead: boolean;
  /** sha256 of the package that runs now, to be kept on each node before anything is removed. */
  readonly oldPackage?: string;
  /** How long the last look waits for good runs of COMPRESS and RETENTION before it says "not yet seen". */
  readonly awaitJobsMs: number;
  /** `repository@sha256:…` in a package's place, for a container of the operator's own. */
  readonly image?: string;
  /** While the data is moved into another cluster: refused by a fence, or counted and lost. */
  readonly writesWhileMoving: "refused" | "counted";
  /** How the cluster is left when its data was moved. */
  readonly oldAfterwards: "read-only" | "as-it-was";
  /** After this long the fence comes down by itself, unless the move is done. */
  readonly fenceLimitMs: number;
}

const defaults: KwdbClusterSettings = {
  archiveData: false,
  awaitJobsMs: 0,
  raiseStoreDead: false,
  writesWhileMoving: "refused",
  oldAfterwards: "read-only",
  fenceLimitMs: 12 * 3_600_000,
};

/** Refused: `kwdb.setting-unreadable`. */
export function settingsOf({ name: cluster, settings }: ClusterEntry): Outcome<KwdbClusterSettings> {
  let read = defaults;
  for (const [name, value] of Object.entries(settings)) {
    const part = readOne(name, value);
    if (part === undefined) return fail("kwdb.setting-unreadable", { cluster, name, value });
    read = { ...read, ...part };
  }
  // who asks for archives gets them with an end
  return succeed(read.archiveData ? { keepArchives: 2, ...read } : read);
}

function readOne(name: string, value: string): Partial<KwdbClusterSettings> | undefined {
  switch (name) {
    case "archive-data":
      return /^(true|false)$/.test(value) ? { archiveData: value === "true" } : undefined;
    case "raise-store-dead":
      return /^(true|false)$/.test(value) ? { raiseStoreDead: value === "true" } : undefined;
    case "keep-archives":
      return /^[1-9]\d{0,2}$/.test(value) ? { keepArchives: Number(value) } : undefined;
    case "old-package":
      return /^[0-9a-f]{64}$/.test(value) ? { oldPackage: value } : undefined;
    case "image":
      return /^[a-z0-9][A-Za-z0-9._:/-]{0,300}@sha256:[0-9a-f]{64}$/.test(value)
        ? { image: value }
        : undefined;
    case "await-jobs": {
      const wait = parseDuration(value);
      return wait.ok ? { awaitJobsMs: wait.value } : undefined;
    }
    case "writes-while-moving":
      return value === "refused" || value === "counted" ? { writesWhileMoving: value } : undefined;
    case "old-cluster-afterwards":
      return value === "read-only" || value === "as-it-was" ? { oldAfterwards: value } : undefined;
    case "fence-limit": {
      const limit = parseDuration(value);
      // a fence that may be undone while it is still being made would never be one
      return limit.ok && limit.value > 10 * 60_000 ? { fenceLimitMs: limit.value } : undefined;
    }
    default:
      return undefined;
  }
}

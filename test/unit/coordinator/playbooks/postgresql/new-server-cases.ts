/** What the new server lacks before the cut-over, by the inventory or by what the old one has. */
import { type Case, source, target } from "./cases.ts";
import { archives, type Changed, is, readiness, type Sides, standby, unknown } from "./pair.ts";

const one = { receivers: [standby("s1")] };
const old = (changed: Parameters<typeof readiness>[0]): Changed => ({
  facts: { readiness: is(readiness(changed)) },
});
const both = (ofOld: Changed, ofNew: Changed): Sides => ({ source: ofOld, target: ofNew });

export const newServerNotReady: readonly Case[] = [
  ["target-standbys warn", "a target that stands alone", source(old(one)), "0 of 1"],
  ["target-standbys warn", "standbys that the inventory wants", { entry: { "new-standbys": "2" } }, "0 of 2"],
  [
    "target-standbys warn",
    "one that is far behind",
    both(old(one), old({ receivers: [standby("s1", { lagBytes: 1_048_577 })] })),
    "s1 (streaming)",
  ],
  [
    "target-standbys warn",
    "one that has not caught up",
    both(old(one), old({ receivers: [standby("s1", { state: "catchup" })] })),
    "s1 (catchup)",
  ],
  [
    "target-standbys warn",
    "a receiver of WAL in its place",
    both(old(one), old({ receivers: [standby("barman", { isReplaying: false })] })),
    "seen: none",
  ],
  [
    "target-standbys unknown",
    "standbys that nobody may see",
    { entry: { "new-standbys": "1", "new-backup": "none" }, target: { facts: { readiness: unknown } } },
  ],
  ["target-backup warn", "no archive there", source(old({ archiver: archives })), "archive_mode is off"],
  [
    "target-backup warn",
    "an archive that fails",
    both(
      old({ archiver: archives }),
      old({ archiver: { ...archives, isFailing: true, failedFile: "0007" } }),
    ),
    "0007",
  ],
  [
    "target-backup warn",
    "an archive of yesterday",
    both(old({ archiver: archives }), old({ archiver: { ...archives, archivedAgoS: 3_601 } })),
    "1h",
  ],
  [
    "target-backup warn",
    "an archive that has nothing yet",
    both(old({ archiver: archives }), old({ archiver: { ...archives, archivedAgoS: null } })),
  ],
  [
    "target-backup warn",
    "no backup by the command",
    {
      entry: { "new-backup": "hook" },
      ...target({ facts: { backup: is({ exitCode: 3, lastLine: "none yet" }) } }),
    },
    "none yet",
  ],
  ["target-backup ko", "no such command", { entry: { "new-backup": "hook" } }, "proveBackup"],
  [
    "target-backup unknown",
    "a command that does not end",
    { entry: { "new-backup": "hook" }, ...target({ facts: { backup: unknown } }) },
  ],
  ["target-connections ko", "fewer connections", target(old({ maxConnections: 50 })), "= 100"],
  [
    "target-connections ko",
    "fewer than the inventory wants",
    { entry: { "new-connections": "300" } },
    "= 300",
  ],
];

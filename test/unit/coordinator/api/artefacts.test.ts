import { expect, it } from "vitest";
import { ArtefactFolder } from "#coordinator/api/artefacts.ts";
import { systemClock } from "#proto/common/clock.ts";

it("refuses a package at once where the folder of packages cannot be made", async () => {
  const folder = "/proc/lockkeeper-nowhere/artefacts";
  const shelf = new ArtefactFolder({ folder, clock: systemClock, bytesPerSecond: 1 });
  const header = { name: "a.tar.gz", digest: "a".repeat(64), totalBytes: 0 };
  await expect(shelf.push(header, (async function* () {})())).rejects.toThrow("ENOENT");
}, 2_000);

import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { measure, mountOf } from "#agent/host/facts.ts";
import { systemClock } from "#proto/common/clock.ts";
import { FailureError, failure } from "#proto/common/failure.ts";

const mountinfo = [
  "22 1 8:1 / / rw - ext4 /dev/sda1 rw",
  "30 22 8:2 / /var rw - ext4 /dev/sda2 rw",
  "31 30 8:3 / /var/lib/kaiwudb rw - xfs /dev/sdb1 rw",
  "32 22 8:4 / /mnt/two\\040words rw - ext4 /dev/sdc1 rw",
].join("\n");

it.each([
  ["/etc", "/"],
  ["/var", "/var"],
  ["/variable", "/"],
  ["/var/lib/kaiwudb/data", "/var/lib/kaiwudb"],
  ["/var/lib/kaiwudb2", "/var"],
  ["/mnt/two words/x", "/mnt/two words"],
])("%s lies on %s", (path, mount) => {
  expect(mountOf(path, mountinfo)).toBe(mount);
});

it("says why a value is not known instead of throwing or waiting", async () => {
  const late = await measure(systemClock, 50, () => sleep(5_000, 1, { ref: false }));
  expect(late).toMatchObject({ unknown: { code: "measure.limit-passed" } });
  const thrown = await measure(systemClock, 50, () => Promise.reject(new Error("EIO")));
  expect(thrown).toMatchObject({ unknown: { code: "measure.failed", facts: { cause: "EIO" } } });
  const named = await measure(systemClock, 50, () =>
    Promise.reject(new FailureError(failure("host.clock-not-told"))),
  );
  expect(named).toMatchObject({ unknown: { code: "host.clock-not-told" } });
});

import { describe, expect, it } from "vitest";
import type { Disk } from "#agent/program/disk.ts";
import type { Entry } from "#agent/program/entry.ts";
import { Journal } from "#agent/program/journal.ts";
import { systemClock } from "#proto/common/clock.ts";
import { ForgetfulDisk } from "#test/doubles/disk/forgetful-disk.ts";

const entry: Entry = { kind: "closed", rollout: "r1" };

async function open(disk: Disk) {
  const opened = await Journal.open({
    disk,
    path: "journal",
    clock: systemClock,
    makeStateId: () => "s",
    take: () => undefined,
  });
  if (!opened.ok) throw new Error(opened.failure.code);
  return opened.value.journal;
}

/** Fails the operations that `fails` names, once each. */
function failing(disk: Disk, fails: ("append" | "sync")[]): Disk {
  return {
    read: (path) => disk.read(path),
    replace: (path, content) => disk.replace(path, content),
    open: async (path) => {
      const file = await disk.open(path);
      const may = async (what: "append" | "sync") => {
        if (fails[0] !== what) return;
        fails.shift();
        throw new Error("ENOSPC");
      };
      return {
        ...file,
        append: async (bytes) => {
          await file.append(bytes.subarray(0, fails[0] === "append" ? 5 : bytes.length));
          await may("append");
        },
        sync: async () => {
          await may("sync");
          await file.sync();
        },
      };
    },
  };
}

describe("a disk that refuses", () => {
  it("leaves no part of a record behind when it is full, and goes on when there is room again", async () => {
    const disk = new ForgetfulDisk();
    const fails: ("append" | "sync")[] = [];
    const journal = await open(failing(disk, fails));
    await journal.append(entry);
    fails.push("append");
    await expect(journal.append(entry)).rejects.toMatchObject({ failure: { code: "journal.unwritable" } });
    const [record] = await journal.append(entry);
    expect(record?.n).toBe(3);
    await open(disk);
  });

  it("is not written to again after a sync has failed: nobody knows what is on it", async () => {
    const fails: ("append" | "sync")[] = [];
    const journal = await open(failing(new ForgetfulDisk(), fails));
    fails.push("sync");
    await expect(journal.append(entry)).rejects.toMatchObject({ failure: { code: "journal.unwritable" } });
    await expect(journal.append(entry)).rejects.toMatchObject({ failure: { code: "journal.unwritable" } });
  });
});

it("writes entries that come at once in one go, with one sync", async () => {
  const disk = new ForgetfulDisk();
  let syncs = 0;
  const counting: Disk = {
    read: (path) => disk.read(path),
    replace: (path, content) => disk.replace(path, content),
    open: async (path) => {
      const file = await disk.open(path);
      const sync = () => {
        syncs++;
        return file.sync();
      };
      return { ...file, sync };
    },
  };
  const journal = await open(counting);
  syncs = 0;
  await Promise.all(Array.from({ length: 20 }, () => journal.append(entry)));
  expect(syncs).toBe(1);
});

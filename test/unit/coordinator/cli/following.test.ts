import { describe, expect, it } from "vitest";
import { bytesAsWords, followingLines } from "#coordinator/cli/render/following.ts";
import { coloured } from "#coordinator/cli/render/style.ts";
import { widthOf } from "#coordinator/cli/render/table.ts";
import type { FollowedDatabase, FollowingView } from "#coordinator/domain/following.ts";
import { failure } from "#proto/common/failure.ts";

const shop: FollowedDatabase = {
  database: "shop",
  node: "new1",
  standing: "replicating",
  readyTables: 12,
  tables: 12,
  copiedBytes: 3 * 1024 ** 3,
  lagBytes: 512,
};
const bills: FollowedDatabase = {
  database: "账单",
  node: "new1",
  standing: "down",
  readyTables: 3,
  tables: 40,
  copiedBytes: 1_500,
  why: failure("postgresql.table-missing", { database: "账单", cause: "public.late" }),
};
const tool: FollowedDatabase = { ...bills, database: "tool", why: failure("postgresql.row-conflict", {}) };
const disk = { usedPercent: 71, freeBytes: 20 * 1024 ** 3, bytesPerS: 1024 ** 2, fullInMs: 20_480_000 };

const lines = (more: Partial<FollowingView>) =>
  followingLines({ databases: [], kept: [], unknown: [], ...more }, (_, text) => text);

describe("how far a move is", () => {
  it("has a line for each database, and says unknown where nothing was told", () => {
    const [head = "", first = "", second = ""] = lines({ databases: [shop, bills] });
    expect(head.trim().split(/ {2,}/)).toEqual(["DATABASE", "ON", "STANDING", "TABLES", "COPIED", "BEHIND"]);
    expect(first.trim().split(/ {2,}/)).toEqual(["shop", "new1", "replicating", "12/12", "3.0 GiB", "512 B"]);
    expect(second.trim().split(/ {2,}/)).toEqual(["账单", "new1", "down", "3/40", "1.5 KiB", "?"]);
  });

  it("keeps its columns straight under Chinese names and colour", () => {
    const told = followingLines({ databases: [shop, bills], kept: [], unknown: [] }, coloured);
    const starts = told.slice(0, 3).map((line) => widthOf(line.split(/ON {2}|new1/)[0] ?? ""));
    expect(new Set(starts).size).toBe(1);
  });

  it("names every cause with its cure, and not the first alone", () => {
    const told = lines({ databases: [shop, bills, tool] }).slice(4);
    expect(told.map((line) => line.trim().split(":")[0])).toEqual(["账单", "next", "tool", "next"]);
  });

  it("tells the log that is kept, the disk and when it is full, and who has told nothing", () => {
    expect(
      lines({ kept: [{ node: "old1", bytes: 5 * 1024 ** 3, disk, lost: [] }], unknown: ["new1"] }),
    ).toEqual([
      "  old1  WAL kept: 5.0 GiB; its disk is 71 % full, 20 GiB free; full in 5h41m at 1.0 MiB per second, if nothing more is confirmed",
      "  new1 has not told how it stands",
    ]);
    expect(
      lines({ kept: [{ node: "old1", lost: [failure("postgresql.slot-lost", { slot: "s" })] }] }),
    ).toEqual([
      "  old1  WAL kept: ?; its disk: ?",
      expect.stringContaining("old1: "),
      expect.stringContaining("next: "),
    ]);
  });
});

it("tells when the disk is full only where that is near, or where what is kept has begun to grow", () => {
  const hour = 3_600_000;
  const told = (bytes: number, fullInMs: number) =>
    lines({ kept: [{ node: "old1", bytes, disk: { ...disk, fullInMs }, lost: [] }] })[0] ?? "";
  expect(told(14 * 1024, 19.7 * hour)).not.toContain("full in");
  expect(told(14 * 1024, hour / 2)).toContain("full in 30m");
  expect(told(1024 ** 3, 19 * hour)).toContain("full in 19h");
  expect(told(1024 ** 3, 30 * hour)).not.toContain("full in");
});

it.each([
  [0, "0 B"],
  [0.4, "0 B"],
  [1_023, "1023 B"],
  [1_024, "1.0 KiB"],
  [1024 ** 4 * 5_000, "5000 TiB"],
])("%d bytes are %s", (bytes, words) => {
  expect(bytesAsWords(bytes)).toBe(words);
});

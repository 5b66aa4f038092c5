import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolders } from "#proto/common/make-folders.ts";

let place = "";
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "lockkeeper-folders-"));
});
afterEach(() => rm(place, { recursive: true, force: true }));

/** A folder may come from a configuration, and a hang there ends with no word. */
it("no other way to make several at once is used in the product", async () => {
  const root = new URL("../../..", import.meta.url).pathname;
  const found: string[] = [];
  for (const room of ["agent", "coordinator", "proto/common"])
    for (const name of await readdir(join(root, room), { recursive: true })) {
      if (!name.endsWith(".ts")) continue;
      const text = await readFile(join(root, room, name), "utf8");
      if (/\bmkdir(Sync)?\([^;]*\brecursive: true/.test(text)) found.push(join(room, name));
    }
  expect(found).toEqual([]);
});

describe("folders that are made", () => {
  it("have the mode, each of them, and the topmost new one is told", async () => {
    expect(await makeFolders(join(place, "a/b/c"), 0o700)).toBe(join(place, "a"));
    for (const each of ["a", "a/b", "a/b/c"])
      expect((await stat(join(place, each))).mode & 0o777).toBe(0o700);
    expect(await makeFolders(join(place, "a/b/d/"), 0o700)).toBe(join(place, "a/b/d/"));
    expect(await makeFolders(join(place, "a/b/c"), 0o755)).toBeUndefined();
    expect((await stat(join(place, "a/b/c"))).mode & 0o777).toBe(0o700);
  });

  it("may be made by two at the same time", async () => {
    const both = ["x", "y"].map((each) => makeFolders(join(place, "a/b/c", each), 0o700));
    await Promise.all(both);
    expect((await stat(join(place, "a/b/c/x"))).isDirectory()).toBe(true);
  });

  it("are refused at once on a file system that takes no folder", async () => {
    await expect(makeFolders("/proc/lockkeeper-nowhere/x", 0o700)).rejects.toThrow();
  }, 2_000);

  it("are refused where a file or a link to nothing stands", async () => {
    await writeFile(join(place, "file"), "");
    await symlink(join(place, "gone"), join(place, "link"));
    await expect(makeFolders(join(place, "file"), 0o700)).rejects.toThrow("ENOTDIR");
    await expect(makeFolders(join(place, "file/a/b"), 0o700)).rejects.toThrow("ENOTDIR");
    await expect(makeFolders(join(place, "link"), 0o700)).rejects.toThrow("ENOENT");
    await mkdir(join(place, "gone"));
    expect(await makeFolders(join(place, "link/a"), 0o700)).toBe(join(place, "link/a"));
  });
});

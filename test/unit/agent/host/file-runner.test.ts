/** A file that another account reads: nobody finds it by its name before that account can read it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, type Stats, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { writeFileDurably } from "#agent/host/file-runner.ts";

const named: Stats[] = [];

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  return {
    ...real,
    rename: (from: string, to: string) => {
      named.push(statSync(from));
      return real.rename(from, to);
    },
  };
});

const folder = mkdtempSync(join(tmpdir(), "lockkeeper-files-"));
const isRoot = process.getuid?.() === 0;
const other = isRoot ? { uid: 65_534, gid: 65_533 } : { uid: process.getuid?.(), gid: process.getgid?.() };
const owner = { uid: other.uid ?? 0, gid: other.gid ?? 0 };

afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("has its owner and its mode before it has its name, whatever the mask of this process", async () => {
  const mask = process.umask(0o077);
  try {
    await writeFileDurably(join(folder, "pg_hba.conf"), "line\n", 0o640, owner);
  } finally {
    process.umask(mask);
  }
  expect(named.map(({ uid, gid, mode }) => ({ uid, gid, mode: mode & 0o777 }))).toEqual([
    { ...owner, mode: 0o640 },
  ]);
  expect(readFileSync(join(folder, "pg_hba.conf"), "utf8")).toBe("line\n");
  expect(readdirSync(folder)).toEqual(["pg_hba.conf"]);
});

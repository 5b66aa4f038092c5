import { open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Disk, DiskFile } from "../program/disk.ts";
import { syncFolder, writeFileDurably } from "./file-runner.ts";

/** The real disk. fdatasync is enough for appends: it also writes the file's length. */
export const realDisk: Disk = {
  read: (path) =>
    readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    }),
  open: async (path): Promise<DiskFile> => {
    const file = await open(path, "a", 0o600);
    await syncFolder(dirname(path));
    return {
      append: async (bytes) => {
        await file.writeFile(bytes);
      },
      sync: () => file.datasync(),
      truncate: (bytes) => file.truncate(bytes),
      close: () => file.close(),
    };
  },
  replace: (path, content) => writeFileDurably(path, content),
};

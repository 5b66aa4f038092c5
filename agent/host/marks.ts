/**
 * What this agent has done for a move, in its own folder, a file for each thing of each rollout: written durably before
 * the thing is begun. A database without such a mark is somebody else's.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { FailureError, failure } from "#proto/common/failure.ts";
import type { StepContext } from "../verb.ts";
import { makeFolderDurably, syncFolder, writeFileDurably } from "./file-runner.ts";

export interface Mark<T> {
  readonly file: string;
  /** Undefined where there is none. Throws `mark.unreadable`: what it stands for is then not known. */
  read(): Promise<T | undefined>;
  write(value: T): Promise<void>;
  remove(): Promise<void>;
}

const format = 1;

/** The folder of one rollout, by a name that is safe in paths. */
export function folderOf(rollout: string): string {
  return `lockkeeper-${rollout.replace(/[^A-Za-z0-9._-]/g, "_")}`;
}

type Of = Pick<StepContext, "host" | "rollout">;

/** In which each rollout has its folder. */
export function marksFolder({ stateDir }: Of["host"]): string {
  return join(stateDir, "moving");
}

export function markFolder({ host, rollout }: Of): string {
  return join(marksFolder(host), folderOf(rollout));
}

export function markOf<T>(context: Of, name: string, schema: z.ZodType<T>): Mark<T> {
  return markAt(markFolder(context), name, schema);
}

/** One that outlives its rollout lies elsewhere than among those of moves. */
export function markAt<T>(folder: string, name: string, schema: z.ZodType<T>): Mark<T> {
  const file = join(folder, `${name}.json`);
  return {
    file,
    read: () => readMark(file, schema),
    write: async (value) => {
      await makeFolderDurably(folder);
      await writeFileDurably(file, JSON.stringify({ format, value }));
    },
    remove: async () => {
      await rm(file, { force: true });
      await syncFolder(folder).catch(() => undefined);
    },
  };
}

/** Also of another agent, as a parcel. Undefined where there is no such file. */
export async function readMark<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  let cause: string;
  try {
    const kept: unknown = JSON.parse(await readFile(file, "utf8"));
    const read = z.object({ format: z.literal(format), value: schema }).safeParse(kept);
    if (read.success) return read.data.value;
    cause = read.error.issues.map(({ message }) => message).join("; ");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    cause = error instanceof Error ? error.message : String(error);
  }
  throw new FailureError(failure("mark.unreadable", { file, cause }));
}

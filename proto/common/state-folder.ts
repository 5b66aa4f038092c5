/** The folder in which a program keeps its state: made where it is missing, refused by name where it cannot be used. */
import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type FailureCode, fail, type Outcome, succeed } from "./failure.ts";

export interface StateFolder {
  readonly folder: string;
  /** Makes what is missing of the path. */
  make(folder: string): Promise<unknown>;
  /** The file whose `stateDir` names the folder, for the refusal. */
  readonly namedIn: string;
}

const codes: Readonly<Record<string, FailureCode>> = {
  EACCES: "state-folder.forbidden",
  EPERM: "state-folder.forbidden",
  ENOENT: "state-folder.dangling",
  ENOTDIR: "state-folder.dangling",
  EROFS: "state-folder.read-only",
  ENOSPC: "state-folder.disk-full",
  EDQUOT: "state-folder.disk-full",
};

/** Refused: `state-folder.` and `is-file`, `dangling`, `forbidden`, `read-only`, `disk-full`, `unusable`. */
export async function openStateFolder({ folder, make, namedIn }: StateFolder): Promise<Outcome<void>> {
  try {
    await make(folder);
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return succeed(undefined);
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const { at, isFolder } = await firstThatExists(folder);
    const facts = { folder, at, namedIn };
    if (!isFolder) return fail("state-folder.is-file", facts);
    return fail(codes[code] ?? "state-folder.unusable", { ...facts, cause: message });
  }
}

/** Of the path, from its end. */
async function firstThatExists(path: string): Promise<{ readonly at: string; readonly isFolder: boolean }> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined || path === dirname(path))
    return { at: path, isFolder: found?.isDirectory() ?? true };
  return firstThatExists(dirname(path));
}

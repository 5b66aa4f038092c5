/** A folder and what is missing above it, where a user says. */
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Made one by one from the deepest that is there; each new one gets the mode. Gives the topmost that is new, undefined:
 * none is. Throws the system's error.
 */
export async function makeFolders(folder: string, mode: number): Promise<string | undefined> {
  // not mkdir with `recursive`: Node 20 tries for ever where a file system has the parent and refuses the child with ENOENT
  if (await isThere(folder)) return undefined;
  const parent = dirname(folder);
  const above = parent === folder ? undefined : await makeFolders(parent, mode);
  const isNew = await mkdir(folder, { mode }).then(() => true, otherWasFirst(folder));
  return above ?? (isNew ? folder : undefined);
}

async function isThere(folder: string): Promise<boolean> {
  const found = await stat(folder).catch(() => undefined);
  return found?.isDirectory() === true;
}

/** Somebody made it in between: good, if it is a folder. */
function otherWasFirst(folder: string): (error: NodeJS.ErrnoException) => Promise<boolean> {
  return async (error) => {
    if (error.code !== "EEXIST") throw error;
    // with a dot behind it the system says what a file, or a link to nothing, is not
    await stat(`${folder}/.`);
    return false;
  };
}

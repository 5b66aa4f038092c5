/** Files of `init`, written all or none: nothing that is there is written over, unless that was asked for. */
import { access, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { troubleOf } from "#proto/catalogue/trouble.ts";
import { FailureError, failure } from "#proto/common/failure.ts";
import { makeFolders } from "#proto/common/make-folders.ts";
import type { InitFile } from "./files.ts";

/** Throws FailureError: `init.file-there`, `cli.file-unwritable`. */
export async function writeAll(
  folder: string,
  files: readonly InitFile[],
  { force }: { readonly force: boolean },
): Promise<void> {
  const there: string[] = [];
  for (const { path } of files) if (await exists(join(folder, path))) there.push(join(folder, path));
  if (there.length > 0 && !force)
    throw new FailureError(failure("init.file-there", { files: there.join(", ") }));
  for (const file of files) await write(join(folder, file.path), file);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Never half a file, and never a moment in which others may read it. */
async function write(path: string, { text, mode }: InitFile): Promise<void> {
  const beside = `${path}.new`;
  try {
    await makeFolders(dirname(path), 0o700);
    await rm(beside, { force: true });
    await writeFile(beside, text, { mode, flag: "wx" });
    await rename(beside, path);
  } catch (error) {
    throw new FailureError(failure("cli.file-unwritable", { path, cause: troubleOf(error) }));
  }
}

/** What an export has written: every file with its size and sha256. Made when the export was done, compared ever after. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { sha256Of } from "../files.ts";

/** Below the export's folder; never out of it. */
const relative = z
  .string()
  .max(1_000)
  .refine((path) => path !== "" && !path.startsWith("/") && !path.split("/").some((part) => part === ".."));

export const manifestSchema = z.object({
  files: z.array(
    z.object({
      path: relative,
      bytes: z.number().int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});
export type Manifest = z.infer<typeof manifestSchema>;

export async function manifestOfFolder(folder: string): Promise<Manifest> {
  const files: Manifest["files"] = [];
  for (const path of await filesBelow(folder)) {
    const { size } = await stat(join(folder, path));
    files.push({ path, bytes: size, sha256: await sha256Of(join(folder, path)) });
  }
  return { files };
}

export async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** The first file that is not as the manifest says, or is none of it; undefined where all is. */
export async function firstDifference(folder: string, { files }: Manifest): Promise<string | undefined> {
  const known = new Set(files.map(({ path }) => path));
  const strange = (await filesBelow(folder)).find((path) => !known.has(path));
  if (strange !== undefined) return strange;
  for (const { path, bytes, sha256 } of files) {
    const size = await stat(join(folder, path)).then(
      (found) => found.size,
      () => undefined,
    );
    if (size !== bytes || (await sha256Of(join(folder, path))) !== sha256) return path;
  }
  return undefined;
}

export function bytesOf({ files }: Manifest): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

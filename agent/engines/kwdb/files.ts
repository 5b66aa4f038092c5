/** Files of the host: read whole within a limit, hashed in chunks. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, readFile, rename, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { syncFolder } from "../../host/file-runner.ts";
import type { Host } from "../../verb.ts";
import type { Manifest } from "./manifest.ts";

const maxTextBytes = 1024 * 1024;

export async function readText(host: Host, hostPath: string): Promise<Outcome<string>> {
  const path = host.path(hostPath);
  try {
    const { size } = await stat(path);
    if (size > maxTextBytes) return fail("file.too-large", { path: hostPath, bytes: String(size) });
    return succeed(await readFile(path, "utf8"));
  } catch (error) {
    return fail("file.unreadable", { path: hostPath, cause: causeOf(error), errno: errnoOf(error) });
  }
}

export async function sha256Of(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  const options = { highWaterMark: 1024 * 1024, ...(signal === undefined ? {} : { signal }) };
  for await (const chunk of createReadStream(path, options)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** sha256 of every file below a folder, by relative path, sorted. */
export async function manifestOf(folder: string): Promise<Manifest> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const sums: [string, string][] = [];
  for (const file of files) sums.push([file.slice(folder.length + 1), await sha256Of(file)]);
  return Object.fromEntries(sums);
}

export function causeOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** ENOENT, EACCES …; empty where it is no error of the system. */
function errnoOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

export async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** sha256 of each; one that is not there is so noted, which is a state like another. */
export async function hashesOf(
  host: Host,
  hostPaths: readonly string[],
): Promise<Outcome<Record<string, string>>> {
  const sums: Record<string, string> = {};
  for (const file of hostPaths) {
    sums[file] = await sha256Of(host.path(file)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "absent";
      throw error;
    });
  }
  return succeed(sums);
}

/** Written beside, with owner and mode of what it replaces, and renamed: a reader finds the old text or the new one. */
export async function writeAsBefore(path: string, text: string): Promise<void> {
  const { mode, uid, gid } = await stat(path);
  const file = await open(`${path}.new`, "w", mode & 0o777);
  try {
    await file.writeFile(text);
    await file.chmod(mode & 0o777);
    await file.chown(uid, gid);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  await syncFolder(dirname(path));
}

/** Of a demo host, whose processes name paths of the machine. */
export function hostPath(host: Host, path: string): string {
  const root = host.path("/").replace(/\/$/, "");
  return root !== "" && path.startsWith(`${root}/`) ? `/${relative(root, path)}` : path;
}

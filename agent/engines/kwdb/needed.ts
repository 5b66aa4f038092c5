/**
 * What a rollout has proven or fetched and will need again is marked as its own, so that no tidying of the same rollout
 * takes it away: what is oldest goes, and for a way back the oldest is the very thing that it goes back to.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileDurably } from "../../host/file-runner.ts";

function markOf(folder: string): string {
  return join(folder, "needed-by");
}

/** The folder of a package, or of a saved configuration, in the agent's own folder. */
export function markNeeded(folder: string, rollout: string): Promise<void> {
  return writeFileDurably(markOf(folder), rollout);
}

async function isNeeded(folder: string, rollout: string): Promise<boolean> {
  return (await readFile(markOf(folder), "utf8").catch(() => "")) === rollout;
}

/** Of these, those that the rollout does not need. */
export async function notNeeded(folders: readonly string[], rollout: string): Promise<readonly string[]> {
  const needed = await Promise.all(folders.map((folder) => isNeeded(folder, rollout)));
  return folders.filter((_, at) => needed[at] !== true);
}

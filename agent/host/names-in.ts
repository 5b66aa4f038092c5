import { readdir } from "node:fs/promises";

/** Sorted; none where there is no such folder. What cannot be looked into throws: nobody knows what is there. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

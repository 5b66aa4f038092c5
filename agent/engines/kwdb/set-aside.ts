/** What the agent remembers of a container that it has set aside: under which name, and how it was to be restarted. */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Host } from "../../verb.ts";
import { type NoteKind, readNote, writeNote } from "./note.ts";

const schema = z.object({
  name: z.string(),
  aside: z.string(),
  /** The engine's own name of it, whatever it is called by now. */
  id: z.string(),
  rollout: z.string(),
  restartPolicy: z.record(z.string(), z.unknown()),
});
export type SetAside = z.infer<typeof schema>;

export const setAsideNote: NoteKind<SetAside> = { format: 1, schema };

function folderOf(host: Host): string {
  return join(host.stateDir, "containers");
}

/** One a rollout: a way back sets the new container aside beside the old one. */
function fileOf(host: Host, name: string, rollout: string): string {
  return join(folderOf(host), `${asideName(name, rollout)}.json`);
}

export function asideName(name: string, rollout: string): string {
  return `${name}-before-${rollout.replace(/[^A-Za-z0-9_.-]/g, "_")}`;
}

export async function readSetAside(host: Host, name: string, rollout: string): Promise<SetAside | undefined> {
  const found = await readNote(setAsideNote, fileOf(host, name, rollout));
  return found?.name === name && found.rollout === rollout ? found : undefined;
}

/** Of whichever rollout: the one that was set aside last. */
export async function newestSetAside(host: Host, name: string): Promise<SetAside | undefined> {
  const files = (await readdir(folderOf(host)).catch(() => []))
    .filter((file) => file.startsWith(`${name}-before-`) && file.endsWith(".json"))
    .map((file) => join(folderOf(host), file));
  const aged = await Promise.all(
    files.map(async (file) => ({
      of: await readNote(setAsideNote, file),
      atMs: (await stat(file).catch(() => undefined))?.mtimeMs ?? 0,
    })),
  );
  return aged
    .sort((left, right) => right.atMs - left.atMs)
    .map(({ of }) => of)
    .find((of) => of?.name === name);
}

export async function writeSetAside(host: Host, of: SetAside): Promise<void> {
  await writeNote(setAsideNote, fileOf(host, of.name, of.rollout), of);
}

export async function forgetSetAside(
  host: Host,
  { name, rollout }: Pick<SetAside, "name" | "rollout">,
): Promise<void> {
  await rm(fileOf(host, name, rollout), { force: true });
}

/** What the agent remembers of a container that it has set aside: under which name, and how it was to be restarted. */
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { makeFolderDurably, writeFileDurably } from "../../host/file-runner.ts";
import type { Host } from "../../verb.ts";

const schema = z.object({
  name: z.string(),
  aside: z.string(),
  /** Absent in what earlier agents wrote. */
  id: z.string().optional(),
  rollout: z.string(),
  restartPolicy: z.record(z.string(), z.unknown()),
});
export type SetAside = z.infer<typeof schema>;

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
  const found = await readRecord(fileOf(host, name, rollout));
  return found?.name === name && found.rollout === rollout ? found : undefined;
}

/** Of whichever rollout: the one that was set aside last. */
export async function newestSetAside(host: Host, name: string): Promise<SetAside | undefined> {
  const files = (await readdir(folderOf(host)).catch(() => []))
    .filter((file) => file.startsWith(`${name}-before-`) && file.endsWith(".json"))
    .map((file) => join(folderOf(host), file));
  const aged = await Promise.all(
    files.map(async (file) => ({
      of: await readRecord(file),
      atMs: (await stat(file).catch(() => undefined))?.mtimeMs ?? 0,
    })),
  );
  return aged
    .sort((left, right) => right.atMs - left.atMs)
    .map(({ of }) => of)
    .find((of) => of?.name === name);
}

async function readRecord(file: string): Promise<SetAside | undefined> {
  const text = await readFile(file, "utf8").catch(() => "");
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export async function writeSetAside(host: Host, of: SetAside): Promise<void> {
  await makeFolderDurably(folderOf(host));
  await writeFileDurably(fileOf(host, of.name, of.rollout), JSON.stringify(of));
}

export async function forgetSetAside(
  host: Host,
  { name, rollout }: Pick<SetAside, "name" | "rollout">,
): Promise<void> {
  await rm(fileOf(host, name, rollout), { force: true });
}

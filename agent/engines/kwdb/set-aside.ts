/** What the agent remembers of a container that it has set aside: under which name, and how it was to be restarted. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { makeFolderDurably, writeFileDurably } from "../../host/file-runner.ts";
import type { Host } from "../../verb.ts";

const schema = z.object({
  name: z.string(),
  aside: z.string(),
  rollout: z.string(),
  restartPolicy: z.record(z.string(), z.unknown()),
});
export type SetAside = z.infer<typeof schema>;

function fileOf(host: Host, name: string): string {
  return join(host.stateDir, "containers", `${name}.json`);
}

export function asideName(name: string, rollout: string): string {
  return `${name}-before-${rollout.replace(/[^A-Za-z0-9_.-]/g, "_")}`;
}

export async function readSetAside(host: Host, name: string): Promise<SetAside | undefined> {
  const text = await readFile(fileOf(host, name), "utf8").catch(() => "");
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export async function writeSetAside(host: Host, of: SetAside): Promise<void> {
  await makeFolderDurably(join(host.stateDir, "containers"));
  await writeFileDurably(fileOf(host, of.name), JSON.stringify(of));
}

export async function forgetSetAside(host: Host, name: string): Promise<void> {
  await rm(fileOf(host, name), { force: true });
}

/** Saves what the vendor's reinstallation would wipe: configuration, certificates, unit. Into the agent's own folder. */
import { cp, mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type Host, type StepResult, type Verb, verb } from "../../verb.ts";
import { label } from "./args.ts";
import { causeOf, manifestOf } from "./files.ts";
import { done, failed } from "./outcome.ts";
import { paths, unitFile } from "./paths.ts";
import type { KwdbSettings } from "./settings.ts";

export function savingVerbs({ unit }: KwdbSettings): readonly Verb[] {
  return [
    verb({
      name: "kwdb.save-configuration",
      class: "observe",
      args: z.strictObject({ label }),
      async run({ host, attempt }, args): Promise<StepResult> {
        try {
          const folder = join(host.stateDir, "saved", args.label);
          // what stands there after a first try may be the new version's: what was saved before it is the original
          if (attempt > 1 && (await isWhole(folder))) return done({ folder, found: "saved before" });
          await save(host, unit, folder);
          return done({ folder });
        } catch (error) {
          return failed("kwdb.not-saved", { cause: causeOf(error) });
        }
      },
    }),
  ];
}

async function isWhole(folder: string): Promise<boolean> {
  return stat(join(folder, "manifest.json")).then(
    () => true,
    () => false,
  );
}

async function save(host: Host, unit: string, folder: string): Promise<void> {
  const beside = `${folder}.new`;
  await rm(beside, { recursive: true, force: true });
  await mkdir(beside, { recursive: true, mode: 0o700 });
  await cp(host.path(paths.etc), join(beside, "kaiwudb"), {
    recursive: true,
    preserveTimestamps: true,
    verbatimSymlinks: true,
  });
  await cp(host.path(unitFile(unit)), join(beside, `${unit}.service`), { preserveTimestamps: true });
  await writeFile(join(beside, "manifest.json"), JSON.stringify(await manifestOf(beside)));
  await rm(folder, { recursive: true, force: true });
  await rename(beside, folder);
}

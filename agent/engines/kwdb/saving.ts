/** Saves what the vendor's reinstallation would wipe: configuration, certificates, unit. Into the agent's own folder. */
import { cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
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
      async run({ host }, args): Promise<StepResult> {
        try {
          return done({ folder: await save(host, unit, args.label) });
        } catch (error) {
          return failed("kwdb.not-saved", { cause: causeOf(error) });
        }
      },
    }),
  ];
}

async function save(host: Host, unit: string, name: string): Promise<string> {
  const folder = join(host.stateDir, "saved", name);
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
  return folder;
}

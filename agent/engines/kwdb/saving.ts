/** Saves what the vendor's reinstallation would wipe: configuration, certificates, unit. Into the agent's own folder. */
import { cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { failure } from "#proto/common/failure.ts";
import { type StepResult, type Verb, verb } from "../../verb.ts";
import { manifestOf } from "./files.ts";
import { paths, unitFile } from "./paths.ts";
import type { KwdbSettings } from "./settings.ts";

export function savingVerbs({ unit }: KwdbSettings): readonly Verb[] {
  return [
    verb({
      name: "kwdb.save-configuration",
      class: "observe",
      args: z.strictObject({ label: z.string().regex(/^[A-Za-z0-9._-]{1,120}$/) }),
      async run({ host }, { label }): Promise<StepResult> {
        const folder = join(host.stateDir, "saved", label);
        const beside = `${folder}.new`;
        try {
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
          return { result: "done", outputs: { folder } };
        } catch (error) {
          return {
            result: "failed",
            failure: failure("kwdb.not-saved", {
              cause: error instanceof Error ? error.message : String(error),
            }),
          };
        }
      },
    }),
  ];
}

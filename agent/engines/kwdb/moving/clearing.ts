/** Takes away what this rollout has written below `extern/` on this node, whole or one part of it; nothing else. */
import { rm } from "node:fs/promises";
import { z } from "zod";
import { done } from "../../../outcome.ts";
import { type Verb, verb } from "../../../verb.ts";
import { database, slug } from "../../databases.ts";
import { isThere } from "../files.ts";
import type { Means } from "../installation.ts";
import { probed, withDesk } from "./desk.ts";

/** Neither: all of the rollout. */
const args = z.strictObject({
  database: database.optional(),
  kind: z.enum(["users", "settings"]).optional(),
});

function partOf({ database: name, kind }: z.infer<typeof args>): string {
  return kind ?? (name === undefined ? "" : slug(name));
}

export function clearingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "kwdb.drop-files",
      class: "reversible",
      args,
      run: (context, given) =>
        withDesk(context, means, async (desk) => {
          const folder = desk.path(partOf(given));
          await rm(folder, { recursive: true, force: true });
          if (partOf(given) === "") await rm(context.parcels.folder, { recursive: true, force: true });
          return done({ folder });
        }),
      probe: (context, given) =>
        probed(context, means, async (desk) =>
          (await isThere(desk.path(partOf(given)))) ? { state: "not-done" } : { state: "done", outputs: {} },
        ),
    }),
  ];
}

/** What was installed before we installed anything, and what we were about to: written before the first package is touched. */
import { join } from "node:path";
import { z } from "zod";
import { folderOf, type Mark, markAt, markOf } from "../../../host/marks.ts";
import { keyOf } from "../../../host/packages/installed.ts";
import type { StepContext } from "../../../verb.ts";

const addition = z.object({ name: z.string(), version: z.string(), architecture: z.string() });
export type Addition = z.infer<typeof addition>;

const note = z.object({
  /** By `name:architecture`: its version and, where that is not `installed`, its state. */
  before: z.record(z.string(), z.string()),
  /** As `18/main`. */
  clusters: z.array(z.string()),
  adds: z.array(addition),
});
export type Note = z.infer<typeof note>;

/** A move's note goes with the move; one of a server that was made stays for as long as the way back may be asked for. */
export type Whose = "move" | "server";

export function noteOf({ host, rollout }: Pick<StepContext, "host" | "rollout">, whose: Whose): Mark<Note> {
  return whose === "move"
    ? markOf({ host, rollout }, "packages", note)
    : markAt(join(host.stateDir, "made"), `${folderOf(rollout)}-packages`, note);
}

/** Without the architecture that apt adds to a foreign one. */
export function bare(name: string): string {
  return name.split(":")[0] ?? name;
}

export function keyOfAddition(each: Addition): string {
  return keyOf({ ...each, name: bare(each.name) });
}

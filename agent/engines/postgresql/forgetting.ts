/** At a move's end: the agent's own notes go, when nothing stands any more that they tell of. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { syncFolder } from "../../host/file-runner.ts";
import { markFolder } from "../../host/marks.ts";
import { done } from "../../outcome.ts";
import { type StepContext, type Verb, verb } from "../../verb.ts";
import { of, ownerOf, probeOf, resultOf } from "./desk.ts";
import { isOf } from "./names.ts";

export function forgettingVerbs(): readonly Verb[] {
  return [
    verb({
      name: "postgresql.forget",
      class: "reversible",
      args: of,
      run: (context, args) =>
        resultOf(async () => {
          for (const path of await notesOf(context, ownerOf(context, args)))
            await rm(path, { recursive: true, force: true });
          await syncFolder(context.host.stateDir);
          return done();
        }),
      probe: (context, args) => probeOf(() => notesOf(context, ownerOf(context, args))),
    }),
  ];
}

async function notesOf({ host }: StepContext, rollout: string): Promise<readonly string[]> {
  const folder = markFolder({ host, rollout });
  const notes = await readdir(folder).catch(() => []);
  const verifiers = join(host.stateDir, "verifiers");
  const sent = (await readdir(verifiers).catch(() => [])).filter((name) => isOf(rollout, name));
  return [...notes.map((name) => join(folder, name)), ...sent.map((name) => join(verifiers, name))];
}

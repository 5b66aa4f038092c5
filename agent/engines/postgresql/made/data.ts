/** The new data folder, made by `initdb` with what the old one was made with; and folders given back on the way back. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { birthSchema, type PgBirth } from "#proto/engines/postgresql-made.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { jsonArg } from "../../json-arg.ts";
import { rollout } from "../../rollout-arg.ts";
import { must, ownerOf, probeOf, resultOf, stop } from "../desk.ts";
import { initdbArgv } from "../on-host/birth.ts";
import { postmasterIn, readControl } from "../on-host/control.ts";
import { programVersion } from "../on-host/programs.ts";
import type { Means } from "../settings.ts";
import { emptyFolder, giveBack, takeFolder } from "./folders.ts";
import { alterNote, dropNote, type Of, readNote } from "./note.ts";
import { type MadePlace, placeOf, readAccount } from "./place.ts";
import { mustBeUnusedAtRest } from "./unused.ts";

export const ofBirth = z.strictObject({ birth: jsonArg("a JSON object", birthSchema) });
const what = z.enum(["tablespaces", "configuration", "data"]);
const ofWhat = z.strictObject({ what, of: rollout.optional() });

export function dataVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.make-new-data",
      class: "reversible",
      args: ofBirth,
      run: (context, args) => resultOf(() => makeData(context, means, args.birth)),
      probe: (context) =>
        probeOf(async () => {
          const { systemId = null } = (await readNote(context)) ?? {};
          return systemId === null ? ["the new data folder"] : [];
        }),
    }),
    verb({
      name: "postgresql.give-back",
      class: "reversible",
      args: ofWhat,
      run: (context, args) => resultOf(() => remove(context, means, args)),
      probe: (context, args) =>
        probeOf(async () => {
          const taken = (await readNote({ ...context, rollout: ownerOf(context, args) }))?.folders ?? [];
          const meant = foldersFor(placeOf(means), args.what);
          return taken.map(({ path }) => path).filter((path) => meant.includes(path));
        }),
    }),
  ];
}

async function makeData(context: StepContext, means: Means, of: PgBirth): Promise<StepResult> {
  const { host } = context;
  const place = placeOf(means);
  const { major } = must(await programVersion(host, place.bin));
  const account = must(await readAccount(host, place.account));
  const note = await readNote(context);
  const turn = `${context.stage}#${context.attempt}`;
  // once for each try: what comes after may be running when an agent that was killed comes here again
  if (note?.clearedFor !== turn) {
    await mustBeAtRest(context, place);
    await takeFolder(context, place.data, { ...account, mode: 0o700 });
    await mustBeUnusedAtRest(context, place);
    await emptyFolder(host, place.data);
    await alterNote(context, { clearedFor: turn, systemId: null, isConfigured: false });
  }
  // the agent has to get in: as the role that its own file names
  const argv = initdbArgv(place, { ...of, owner: means.settings.user }, major);
  const ran = await context.tool({ argv, user: place.account, cwd: "/", env: { LC_ALL: "C" } });
  if (ran.exitCode !== 0) stop("postgresql.tool-failed", { tool: "initdb", cause: lastLines(ran.tail) });
  const { systemId } = must(await readControl(host, place));
  await alterNote(context, { systemId });
  return done({ systemId });
}

function foldersFor(
  { data, config, tablespaces }: MadePlace,
  which: z.infer<typeof what>,
): readonly string[] {
  if (which === "tablespaces") return Object.values(tablespaces);
  return which === "data" ? [data] : [config].filter((folder) => folder !== data);
}

/** Only what this rollout has taken, and only while nothing but its own is in it and nothing lives there. */
async function remove(context: StepContext, means: Means, args: z.infer<typeof ofWhat>): Promise<StepResult> {
  const place = placeOf(means);
  const whose = { ...context, rollout: ownerOf(context, args) };
  if ((await readNote(whose)) === undefined) return done({ found: "not made by this rollout" });
  await mustBeAtRest(context, place);
  await mustBeOurs(whose, place);
  await mustBeUnusedAtRest(whose, place);
  const given: string[] = [];
  for (const folder of foldersFor(place, args.what)) if (await giveBack(whose, folder)) given.push(folder);
  if ((await readNote(whose))?.folders.length === 0) await dropNote(whose);
  return done({ folders: given.join(", ") || "none" });
}

async function mustBeAtRest({ host }: StepContext, { data }: MadePlace): Promise<void> {
  const pid = await postmasterIn(host, data);
  if (pid !== 0) stop("postgresql.server-still-runs", { data, cause: `process ${pid}` });
}

/** A server that somebody has made there since has another identifier. What `initdb` has not finished has none that we know. */
export async function mustBeOurs(of: Of, place: MadePlace): Promise<void> {
  const { host } = of;
  const { systemId = null } = (await readNote(of)) ?? {};
  const file = await stat(host.path(join(place.data, "global/pg_control"))).catch(() => undefined);
  if (systemId === null || file === undefined) return;
  const found = must(await readControl(host, place));
  if (found.systemId !== systemId)
    stop("postgresql.another-server", { systemId: found.systemId, wanted: systemId });
}

function lastLines(tail: string): string {
  return tail.trim().split("\n").slice(-4).join("; ").slice(0, 800);
}

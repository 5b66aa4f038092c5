/**
 * The new data folder: made by `initdb` with what the old one was made with, and made anew wherever `pg_upgrade` was begun on it. One
 * that was there before this rollout, with anything in it, is nobody's to empty.
 */
import { chown, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { makeFolders } from "#proto/common/make-folders.ts";
import { syncFolder } from "../../../host/file-runner.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { rollout } from "../../rollout-arg.ts";
import { ask, must, of, ownerOf, probeOf, resultOf, stop } from "../desk.ts";
import { initdbArgv, readBirth } from "../on-host/birth.ts";
import { postmasterIn, readControl } from "../on-host/control.ts";
import { contentOf } from "../on-host/folders.ts";
import { programVersion } from "../on-host/programs.ts";
import type { Means } from "../settings.ts";
import { alterNote, mustRead, type Note, readNote, writeNote } from "./note.ts";
import { type Place, type PlacedServer, placeOf } from "./place.ts";

const make = z.strictObject({ of: rollout.optional(), systemId: z.string().regex(/^\d+$/) });

export function dataVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.make-data",
      class: "reversible",
      args: make,
      run: (context, args) => resultOf(() => makeData(context, means, args.systemId)),
      probe: (context) =>
        probeOf(async () => ((await readNote(context))?.isFresh === true ? [] : ["the new data folder"])),
    }),
    verb({
      name: "postgresql.remove-data",
      class: "reversible",
      args: of,
      run: (context, args) => resultOf(() => removeNew(context, means, ownerOf(context, args))),
      probe: (context, args) =>
        probeOf(async () => {
          const note = await readNote({ ...context, rollout: ownerOf(context, args) });
          return note?.clearedFor == null ? [] : [placeOf(means).new.data];
        }),
    }),
    verb({
      name: "postgresql.clear-work",
      class: "reversible",
      args: of,
      run: (context) =>
        resultOf(async () => {
          await rm(context.host.path(placeOf(means).work), { recursive: true, force: true });
          return done();
        }),
      probe: (context) =>
        probeOf(async () =>
          (await contentOf(context, placeOf(means).work)) === 0 ? [] : [placeOf(means).work],
        ),
    }),
    verb({
      name: "postgresql.remove-old-data",
      class: "irreversible",
      args: of,
      run: (context, args) => resultOf(() => removeOld(context, means, ownerOf(context, args))),
      probe: (context) =>
        probeOf(async () => ((await contentOf(context, placeOf(means).old.data)) === 0 ? [] : ["old data"])),
    }),
  ];
}

/** The first time the old server is asked, which serves; later it may be down, and the note knows. */
async function noteOf(context: StepContext, means: Means, systemId: string): Promise<Note> {
  const known = await readNote(context);
  if (known !== undefined) return known;
  const { old } = placeOf(means);
  const control = must(await readControl(context.host, old));
  if (control.systemId !== systemId)
    stop("postgresql.another-server", { systemId: control.systemId, wanted: systemId });
  const note: Note = {
    systemId,
    birth: await ask(context, means, readBirth),
    clearedFor: null,
    isFresh: false,
    newSystemId: null,
    hasConfig: false,
    mode: null,
    wasEnabled: null,
    isNewStarted: false,
    isOpened: false,
    isOldGoing: false,
  };
  await writeNote(context, note);
  return note;
}

async function makeData(context: StepContext, means: Means, systemId: string): Promise<StepResult> {
  const place = placeOf(means);
  const note = await noteOf(context, means, systemId);
  if (isWorthKeeping(note)) stop("postgresql.new-started-already", { unit: place.new.unit });
  const turn = `${context.stage}#${context.attempt}`;
  // once for each try: what comes after may be running when an agent that was killed comes here again
  if (note.clearedFor !== turn) await clear(context, place, { note, turn });
  const { major } = must(await programVersion(context.host, place.new.bin));
  const ran = await context.tool({
    argv: initdbArgv(place.new, note.birth, major),
    user: place.account,
    cwd: place.work,
    env: { LC_ALL: "C" },
  });
  if (ran.exitCode !== 0) stop("postgresql.tool-failed", { tool: "initdb", cause: lastLines(ran.tail) });
  const made = must(await readControl(context.host, place.new));
  await alterNote(context, { isFresh: true, newSystemId: made.systemId, mode: null });
  return done({ systemId: made.systemId });
}

async function clear(
  context: StepContext,
  place: Place,
  { note, turn }: { readonly note: Note; readonly turn: string },
): Promise<void> {
  const { host } = context;
  const { data } = place.new;
  if (note.clearedFor === null && (await contentOf(context, data)) > 0)
    stop("postgresql.new-data-not-empty", { data });
  if ((await postmasterIn(host, data)) !== 0) stop("postgresql.server-still-runs", { data });
  await controlBack(context, place.old);
  const owner = await stat(host.path(place.old.data));
  await alterNote(context, { isFresh: false, newSystemId: null, mode: null, isNewStarted: false });
  for (const folder of [data, place.work]) await rm(host.path(folder), { recursive: true, force: true });
  const parent = dirname(host.path(data));
  const isNewParent = (await makeFolders(parent, 0o755)) !== undefined;
  if (isNewParent) await chown(parent, owner.uid, owner.gid);
  for (const folder of [data, place.work]) {
    await mkdir(host.path(folder), { mode: 0o700 });
    await chown(host.path(folder), owner.uid, owner.gid);
  }
  await syncFolder(parent);
  await alterNote(context, { clearedFor: turn });
}

/** `pg_upgrade --link` puts the old control file out of the way; until the new server has started, it is good. */
export async function controlBack(
  { host }: Pick<StepContext, "host">,
  { data }: PlacedServer,
): Promise<void> {
  const file = host.path(join(data, "global", "pg_control"));
  if ((await isFile(file)) || !(await isFile(`${file}.old`))) return;
  await rename(`${file}.old`, file);
  await syncFolder(dirname(file));
}

async function removeNew(context: StepContext, means: Means, rolloutId: string): Promise<StepResult> {
  const place = placeOf(means);
  const whose = { ...context, rollout: rolloutId };
  const note = await readNote(whose);
  if (note === undefined || note.clearedFor === null) return done({ found: "not made by this rollout" });
  if ((await postmasterIn(context.host, place.new.data)) !== 0)
    stop("postgresql.server-still-runs", { data: place.new.data });
  if (isWorthKeeping(note)) stop("postgresql.new-started-already", { unit: place.new.unit });
  await controlBack(context, place.old);
  for (const folder of [place.new.data, place.work])
    await rm(context.host.path(folder), { recursive: true, force: true });
  await syncFolder(dirname(context.host.path(place.new.data)));
  const nothing = { clearedFor: null, isFresh: false, newSystemId: null, mode: null, isNewStarted: false };
  await alterNote(whose, nothing);
  return done({ data: place.new.data });
}

/** What clients have written is there alone; and after a link, what the old server had as well. */
function isWorthKeeping({ mode, isNewStarted, isOpened }: Note): boolean {
  return isOpened || (mode === "link" && isNewStarted);
}

/** Only while the new server serves out of its own folder, and nothing lives in the old one. */
async function removeOld(context: StepContext, means: Means, rolloutId: string): Promise<StepResult> {
  const place = placeOf(means);
  const note = await mustRead({ ...context, rollout: rolloutId });
  const { host } = context;
  if (!note.isNewStarted || (await postmasterIn(host, place.new.data)) === 0)
    stop("postgresql.new-does-not-run", { unit: place.new.unit });
  if ((await postmasterIn(host, place.old.data)) !== 0)
    stop("postgresql.server-still-runs", { data: place.old.data });
  // half removed by an earlier try, it tells no more whose it is
  if (!note.isOldGoing) await proveOld(host, place.old, note);
  await alterNote({ ...context, rollout: rolloutId }, { isOldGoing: true });
  for (const name of await readdir(host.path(place.old.data)))
    await rm(host.path(join(place.old.data, name)), { recursive: true, force: true });
  await syncFolder(host.path(place.old.data));
  return done({ data: place.old.data });
}

/** After `--link` its control file is out of the way, and nothing else tells. */
async function proveOld(host: StepContext["host"], old: PlacedServer, note: Note): Promise<void> {
  if (note.mode === "link" && (await isFile(host.path(join(old.data, "global", "pg_control.old"))))) return;
  const { systemId } = must(await readControl(host, old));
  if (systemId !== note.systemId) stop("postgresql.another-server", { systemId, wanted: note.systemId });
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

function lastLines(tail: string): string {
  return tail.trim().split("\n").slice(-4).join("; ").slice(0, 800);
}

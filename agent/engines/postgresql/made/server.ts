/** The new server: looked at before it is made, started by its unit, proven to be what was wanted, and stopped on the way back. */
import { z } from "zod";
import type { PgBirth } from "#proto/engines/postgresql-made.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { ask, must, of, ownerOf, probeOf, resultOf, stop } from "../desk.ts";
import { readServer } from "../facts.ts";
import { readBirth } from "../on-host/birth.ts";
import { postmasterIn } from "../on-host/control.ts";
import { contentOf } from "../on-host/folders.ts";
import { programVersion } from "../on-host/programs.ts";
import { until, whatRuns } from "../on-host/standing.ts";
import { isDown, order, readUnit } from "../on-host/unit.ts";
import { mustBeUnitOf } from "../on-host/unit-of-server.ts";
import type { Means } from "../settings.ts";
import { mustBeOurs, ofBirth } from "./data.ts";
import { alterNote, mustRead, type Note, readNote } from "./note.ts";
import { foldersOf, type MadePlace, placeOf } from "./place.ts";
import { isSaidUnused, mustBeUnused, noteUnused } from "./unused.ts";

const ofVersion = z.strictObject({ version: z.string() });

export function serverVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.prove-free",
      class: "observe",
      args: ofVersion,
      run: (context, { version }) => resultOf(() => proveFree(context, placeOf(means), version)),
    }),
    verb({
      name: "postgresql.start-made",
      class: "reversible",
      args: z.strictObject({}),
      run: (context) => resultOf(() => start(context, means)),
      probe: (context) => probeOf(() => whyNotServing(context, means)),
    }),
    verb({
      name: "postgresql.stop-made",
      class: "reversible",
      args: of,
      run: (context, args) => resultOf(() => stopMade(context, means, ownerOf(context, args))),
      probe: (context, args) =>
        probeOf(async () => {
          const note = await readNote({ ...context, rollout: ownerOf(context, args) });
          return note === undefined ? [] : notAsBefore(context, placeOf(means), note);
        }),
    }),
    verb({
      name: "postgresql.prove-made",
      class: "observe",
      args: ofBirth.extend(ofVersion.shape),
      run: (context, args) => resultOf(() => proveMade(context, means, args)),
    }),
    verb({
      name: "postgresql.prove-unused",
      class: "observe",
      args: of,
      run: (context, args) =>
        resultOf(async () => {
          await mustBeUnused(context, means, { ...context, rollout: ownerOf(context, args) });
          return done({ found: "nothing but what initdb has made" });
        }),
    }),
  ];
}

/** Programs of the version, and folders that are empty or were taken by this rollout. */
async function proveFree(context: StepContext, place: MadePlace, wanted: string): Promise<StepResult> {
  const { version, major } = must(await programVersion(context.host, place.bin));
  if (String(major) !== wanted) stop("postgresql.version-differs", { version, wanted });
  const own = (await readNote(context))?.folders.map(({ path }) => path) ?? [];
  for (const folder of foldersOf(place))
    if (!own.includes(folder) && (await contentOf(context, folder)) > 0)
      stop("postgresql.new-data-not-empty", { data: folder });
  if (own.length === 0) {
    const running = await whatRuns(context, place);
    if (running.length > 0)
      stop("postgresql.server-still-runs", { data: place.data, cause: running.join("; ") });
  }
  return done({ version });
}

async function start(context: StepContext, means: Means): Promise<StepResult> {
  const place = placeOf(means);
  const { unit } = place;
  const note = await mustRead(context);
  if (!note.isConfigured) stop("postgresql.make-not-begun", { rollout: context.rollout });
  const { file } = must(await readUnit(context.host, unit));
  if (note.wasEnabled === null) await alterNote(context, { wasEnabled: file === "enabled" });
  if (note.isEnabled && file !== "enabled" && file !== "static") await order(context, "enable", unit);
  await order(context, "start", unit);
  await until(context, () => whyNotServing(context, means), "postgresql.server-does-not-serve", { unit });
  await mustBeUnitOf(context, place);
  return done({ unit });
}

async function whyNotServing(context: StepContext, means: Means): Promise<readonly string[]> {
  const { unit, data } = placeOf(means);
  const standing = must(await readUnit(context.host, unit));
  if (isDown(standing)) return [`${unit} is ${standing.active}`];
  const note = await readNote(context);
  try {
    const server = must(await ask(context, means, readServer));
    return [
      ...(server.dataDirectory === data ? [] : [`another data folder: ${server.dataDirectory}`]),
      ...(server.systemId === note?.systemId ? [] : [`another system identifier: ${server.systemId}`]),
    ];
  } catch (error) {
    return [error instanceof Error ? error.message.slice(0, 300) : String(error)];
  }
}

/** Only one that this rollout has made, and that nobody has put anything into. */
async function stopMade(context: StepContext, means: Means, rollout: string): Promise<StepResult> {
  const place = placeOf(means);
  const { unit, data } = place;
  const note = await readNote({ ...context, rollout });
  if (note === undefined) return done({ found: "not made by this rollout" });
  await mustBeOurs({ ...context, rollout }, place);
  const isSaid = await isSaidUnused(context, means);
  const { mainPid } = must(await readUnit(context.host, unit));
  // one that fails again and again has no process at this moment
  if (mainPid !== 0 || (await postmasterIn(context.host, data)) !== 0) await mustBeUnitOf(context, place);
  await order(context, "stop", unit);
  await until(context, () => whatRuns(context, place), "postgresql.server-still-runs", { data });
  if (isSaid) await noteUnused({ ...context, rollout }, place);
  if (note.wasEnabled === false && note.isEnabled) await order(context, "disable", unit);
  const left = await notAsBefore(context, place, note);
  if (left.length > 0) stop("postgresql.server-still-runs", { data, cause: left.join("; ") });
  return done({ unit });
}

/** At rest, and started by a boot only where it was before. */
async function notAsBefore(context: StepContext, place: MadePlace, note: Note): Promise<readonly string[]> {
  const { file } = must(await readUnit(context.host, place.unit));
  const isOurs = note.wasEnabled === false && note.isEnabled && file === "enabled";
  return [...(await whatRuns(context, place)), ...(isOurs ? [`${place.unit} is enabled`] : [])];
}

/** By what the server says, and not by what it was made with. */
async function proveMade(
  context: StepContext,
  means: Means,
  { birth, version: wanted }: { readonly birth: PgBirth; readonly version: string },
): Promise<StepResult> {
  const { data } = placeOf(means);
  const { systemId } = await mustRead(context);
  const { server, found } = await ask(context, means, async (sql) => ({
    server: must(await readServer(sql)),
    found: await readBirth(sql),
  }));
  const facts = { systemId: server.systemId, version: server.version };
  if (server.systemId !== systemId) stop("postgresql.another-server", { ...facts, wanted: systemId ?? "" });
  if (server.dataDirectory !== data) stop("postgresql.another-folder", { found: server.dataDirectory, data });
  if (!server.isSuperuser) stop("postgresql.no-superuser", facts);
  if (String(Math.floor(server.versionNum / 10_000)) !== wanted)
    stop("postgresql.version-differs", { ...facts, wanted });
  const otherwise = differences(birth, found);
  if (otherwise.length > 0) stop("postgresql.made-otherwise", { found: otherwise.join("; ") });
  return done({
    ...facts,
    "told.made with": `${found.encoding}, ${found.provider} ${found.locale ?? found.collate}, checksums ${found.hasChecksums ? "on" : "off"}`,
  });
}

/** The role that initdb makes is the new host's own. */
function differences(wanted: PgBirth, found: PgBirth): readonly string[] {
  const { owner: _, ...asked } = wanted;
  return Object.entries(asked).flatMap(([name, value]) => {
    const is = found[name as keyof PgBirth];
    return plain(is) === plain(value) ? [] : [`${name} ${String(is)}, and not ${String(value)}`];
  });
}

/** de_DE.UTF-8 and de_DE.utf8 are one, and so are de_DE and de-DE of icu; no rules and empty ones are too. */
function plain(value: unknown): string {
  return String(value ?? "")
    .replace(/\.utf-?8$/i, ".utf8")
    .replaceAll("_", "-");
}

/**
 * The configuration goes along: every file of it, with its owner and mode, the names of folders changed. What the new version does
 * not know is found by that version's own word, commented out, and told. Done once more while nobody is served: what was changed in
 * between counts.
 */
import { chmod, chown, readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative } from "node:path";
import { z } from "zod";
import { makeFolders } from "#proto/common/make-folders.ts";
import { syncFolder, writeFileDurably } from "../../../host/file-runner.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { of, ownerOf, probeOf, resultOf, stop } from "../desk.ts";
import { includesIn, placesOf, settingsChanged, withPlaces } from "../on-host/configuration-text.ts";
import { contentOf } from "../on-host/folders.ts";
import { putUnknownAside, toldOf } from "../on-host/unknown-settings.ts";
import type { Means } from "../settings.ts";
import { alterNote, mustRead, readNote } from "./note.ts";
import { hasOwnConfig, type Place, placeOf } from "./place.ts";

export function configurationVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.carry-configuration",
      class: "reversible",
      args: z.strictObject({ tells: z.enum(["yes", "no"]) }),
      run: (context, { tells }) => resultOf(() => carry(context, means, tells === "yes")),
      // once more does no harm: it is made from the old server's files, whatever stands there
      probe: () => Promise.resolve({ state: "not-done" }),
    }),
    verb({
      name: "postgresql.remove-configuration",
      class: "reversible",
      args: of,
      run: (context, args) =>
        resultOf(async () => {
          const { new: young } = placeOf(means);
          const whose = { ...context, rollout: ownerOf(context, args) };
          if ((await readNote(whose))?.hasConfig !== true) return done({ found: "not made by this rollout" });
          await rm(context.host.path(young.config), { recursive: true, force: true });
          await syncFolder(dirname(context.host.path(young.config))).catch(() => undefined);
          await alterNote(whose, { hasConfig: false });
          return done({ config: young.config });
        }),
      probe: (context, args) =>
        probeOf(async () => {
          const note = await readNote({ ...context, rollout: ownerOf(context, args) });
          return note?.hasConfig === true ? ["configuration"] : [];
        }),
    }),
  ];
}

async function carry(context: StepContext, means: Means, tells: boolean): Promise<StepResult> {
  const place = placeOf(means);
  const note = await mustRead(context);
  if (hasOwnConfig(place.new) && !note.hasConfig) {
    if ((await contentOf(context, place.new.config)) > 0)
      stop("postgresql.new-data-not-empty", { data: place.new.config });
    await alterNote(context, { hasConfig: true });
  }
  const changed = new Set<string>();
  for (const { from, to } of await filesOf(context, place))
    for (const name of await carryFile(context, place, { from, to })) changed.add(name);
  const aside = await putUnknownAside(context, { ...place.new, account: place.account });
  const kind = tells ? "told." : "";
  return done({
    [`${kind}settings with another place`]: [...changed].sort().join(", ") || "none",
    [`${kind}settings that the new version does not know`]: toldOf(aside),
  });
}

interface Carried {
  readonly from: string;
  readonly to: string;
}

/** Settings of `ALTER SYSTEM` lie in the data folder wherever the others do; certificates may lie there too. */
async function filesOf(context: StepContext, place: Place): Promise<readonly Carried[]> {
  const { old, new: young } = place;
  const names = hasOwnConfig(old)
    ? await allIn(context, old.config)
    : await namedIn(context, old.config, ["postgresql.conf", "pg_hba.conf", "pg_ident.conf"]);
  const inData = ["postgresql.auto.conf", ...(await certificates(context, place))];
  return [
    ...names.map((name) => ({ from: join(old.config, name), to: join(young.config, name) })),
    ...inData.map((name) => ({ from: join(old.data, name), to: join(young.data, name) })),
  ];
}

async function allIn({ host }: StepContext, folder: string): Promise<readonly string[]> {
  const entries = await readdir(host.path(folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(host.path(folder), join(entry.parentPath, entry.name)));
}

async function namedIn(
  context: StepContext,
  folder: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const { host } = context;
  const [main = ""] = names;
  const text = await readFile(host.path(join(folder, main)), "utf8");
  const more: string[] = [];
  for (const { kind, path } of includesIn(text)) {
    if (isAbsolute(path)) continue;
    if (kind === "file") more.push(path);
    else
      more.push(
        ...(await allIn(context, join(folder, path)).catch(() => [])).map((name) => join(path, name)),
      );
  }
  return [...names, ...more];
}

const certificateSettings = /^\s*(ssl_\w+_file|krb_server_keyfile)\s*=\s*'([^'/][^']*)'/gm;

/** Named without a folder, a certificate lies in the data folder; server.crt and server.key do so unnamed. */
async function certificates({ host }: StepContext, { old }: Place): Promise<readonly string[]> {
  const text = await readFile(host.path(join(old.config, "postgresql.conf")), "utf8").catch(() => "");
  const names = [...text.matchAll(certificateSettings)].map((found) => found[2] ?? "");
  const all = [...new Set(["server.crt", "server.key", ...names])];
  const there = await Promise.all(
    all.map((name) =>
      stat(host.path(join(old.data, name))).then(
        () => true,
        () => false,
      ),
    ),
  );
  return all.filter((_, index) => there[index]);
}

/** Names of the settings that it changed. A file that is gone meanwhile was not there to be carried. */
async function carryFile(
  { host }: StepContext,
  { old, new: young }: Place,
  { from, to }: Carried,
): Promise<readonly string[]> {
  const [source, target] = [host.path(from), host.path(to)];
  const found = await stat(source).catch(() => undefined);
  if (found === undefined) return [];
  await makeLike(dirname(source), dirname(target));
  if (/\.(crt|key|pem|crl)$/.test(from)) {
    await writeFileDurably(target, await readFile(source), found.mode & 0o777, found);
    return [];
  }
  const before = await readFile(source, "utf8");
  const after = withPlaces(before, placesOf(old, young));
  await writeFileDurably(target, after, found.mode & 0o777, found);
  return /\.conf$/.test(from) ? settingsChanged(before, after) : [];
}

async function makeLike(source: string, target: string): Promise<void> {
  const made = await makeFolders(target, 0o700);
  if (made === undefined) return;
  const like = await stat(source);
  for (let folder = target; folder.length >= made.length; folder = dirname(folder)) {
    await chown(folder, like.uid, like.gid);
    await chmod(folder, like.mode & 0o777);
  }
}

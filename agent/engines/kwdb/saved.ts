/** Configurations that were saved before a change, in the agent's own folder: whose they are, and whether they are whole. */
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Failure, FailureError, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import type { KwdbFull } from "#proto/engines/kwdb.ts";
import type { Host } from "../../verb.ts";
import { manifestOf, sha256Of } from "./files.ts";
import type { Installation } from "./installation.ts";
import { readManifest } from "./manifest.ts";
import { namedAfter, readJson, readOrigin } from "./origin.ts";

export interface Saved {
  readonly folder: string;
  readonly rollout: string;
  /** sha256 of each file by its path in the folder. */
  readonly files: Readonly<Record<string, string>>;
}

export const savedRoot = (host: Host) => join(host.stateDir, "saved");

/** What was saved for this rollout under this label. Refused: `kwdb.saved-missing`, `-of-another`, `-not-original`, `-changed`. */
export async function readSaved(
  host: Host,
  { label, rollout }: { readonly label: string; readonly rollout: string },
): Promise<Outcome<Saved>> {
  return readSavedIn(join(savedRoot(host), namedAfter(label, { rollout })), rollout);
}

async function readSavedIn(folder: string, rollout: string): Promise<Outcome<Saved>> {
  const refuse = (code: `kwdb.${string}`, facts: Failure["facts"] = {}) =>
    ({ ok: false, failure: failure(code, { folder, rollout, ...facts }) }) as const;
  const origin = await originIn(folder);
  if (!origin.ok) return origin;
  const files = readManifest(await readFile(join(folder, "manifest.json"), "utf8").catch(() => ""));
  if (origin.value === undefined || files === undefined || Object.keys(files).length === 0)
    return refuse("kwdb.saved-missing");
  if (origin.value.rollout !== rollout)
    return refuse("kwdb.saved-of-another", { found: origin.value.rollout });
  if (origin.value.begunBefore === "irreversible") return refuse("kwdb.saved-not-original");
  const found = await manifestOf(folder).catch((): Readonly<Record<string, string>> => ({}));
  const changed = Object.keys(files).find((file) => files[file] !== found[file]);
  return changed === undefined
    ? succeed({ folder, rollout, files })
    : refuse("kwdb.saved-changed", { file: changed });
}

/** Where a saved file belongs, as a path of the host; undefined for one that belongs nowhere. */
export function placeOf(here: Installation, file: string): string | undefined {
  const [top = "", ...below] = file.split("/");
  const root = here.worthSaving.find((path) => basename(path) === top);
  return root === undefined ? undefined : [root, ...below].join("/");
}

/** Paths of the host that differ from what was saved, and those that are there and were not. */
export async function differences(
  here: Installation,
  { files }: Pick<Saved, "files">,
): Promise<{ readonly changed: readonly string[]; readonly added: readonly string[] }> {
  const changed: string[] = [];
  const wanted = new Set<string>();
  for (const [file, sha256] of Object.entries(files)) {
    const place = placeOf(here, file);
    if (place === undefined) continue;
    wanted.add(place);
    const found = await sha256Of(here.host.path(place)).catch(() => undefined);
    if (found !== sha256) changed.push(place);
  }
  const present = await Promise.all(
    here.worthSaving.map(async (root) =>
      Object.keys(await manifestOf(here.host.path(root)).catch(() => ({}))).map((file) => `${root}/${file}`),
    ),
  );
  return { changed: changed.sort(), added: present.flat().filter((path) => !wanted.has(path)) };
}

type Told = Extract<NonNullable<KwdbFull["saved"]>, { readonly value: unknown }>["value"];

/** All that can be put back, and what putting it back would change; those that are not whole are not told. */
export async function savedOn(here: Installation): Promise<Outcome<Told>> {
  const root = savedRoot(here.host);
  const names = (await readdir(root).catch(() => [])).filter((name) => !name.endsWith(".new"));
  const told: Told = [];
  for (const name of names.sort()) {
    const folder = join(root, name);
    const origin = await originIn(folder);
    if (!origin.ok || origin.value === undefined) continue;
    const saved = await readSavedIn(folder, origin.value.rollout);
    if (!saved.ok) continue;
    const { changed, added } = await differences(here, saved.value);
    told.push({ name, rollout: saved.value.rollout, differs: [...changed, ...added] });
  }
  return succeed(told);
}

/** Refused: `kwdb.origin-format-unknown`. */
async function originIn(folder: string): Promise<Outcome<ReturnType<typeof readOrigin>>> {
  const file = join(folder, "origin.json");
  try {
    return succeed(readOrigin(await readJson(file), file));
  } catch (error) {
    if (error instanceof FailureError) return { ok: false, failure: error.failure };
    throw error;
  }
}

/**
 * The old server's configuration on the new host: places changed, what belongs to the old host put aside, what this host and the move
 * need at the end of postgresql.conf. Written once: what a person mends in it afterwards is kept by a retry.
 */
import { chmod, chown, readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { z } from "zod";
import { makeFolders } from "#proto/common/make-folders.ts";
import { writeFileDurably } from "../../../host/file-runner.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { must, probeOf, resultOf, stop } from "../desk.ts";
import { placesOf, settingsChanged, withPlaces } from "../on-host/configuration-text.ts";
import { putUnknownAside, toldOf } from "../on-host/unknown-settings.ts";
import { type Wanted, wanted } from "../restarting/wanted.ts";
import type { Means } from "../settings.ts";
import { takeFolder } from "./folders.ts";
import { alterNote, mustRead, readNote } from "./note.ts";
import { ofDebian, type Parcel, parcel, parcelName } from "./parcel.ts";
import { type Account, type MadePlace, placeOf, readAccount } from "./place.ts";
import {
  ofOldHost,
  withAgentLine,
  withAgentMap,
  without,
  withoutElsewhere,
  withSettings,
} from "./taken-text.ts";

export function takingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.take-configuration",
      class: "reversible",
      args: z.strictObject({ settings: wanted }),
      run: (context, { settings }) => resultOf(() => take(context, means, settings)),
      probe: (context) =>
        probeOf(async () => ((await readNote(context))?.isConfigured === true ? [] : ["configuration"])),
    }),
  ];
}

async function take(context: StepContext, means: Means, settings: Wanted): Promise<StepResult> {
  const place = placeOf(means);
  if ((await mustRead(context)).systemId === null)
    stop("postgresql.make-not-begun", { rollout: context.rollout });
  const sent = await received(context);
  const account = must(await readAccount(context.host, place.account));
  if (place.config !== place.data) await takeFolder(context, place.config, { ...account, mode: 0o755 });
  const { files, changed, aside } = filesFor(means, place, { sent, settings });
  for (const { path, text } of files) await writeFor(context, { path, text }, account);
  const unknown = await putUnknownAside(context, place);
  await mustHave(context, place, sent);
  await alterNote(context, { isConfigured: true, isEnabled: sent.isEnabled ?? true });
  return done({
    "told.settings with another place": listOr(changed),
    "told.settings of the old host alone": listOr(aside),
    "told.settings that the new version does not know": toldOf(unknown),
    "told.settings for the move": listOr(Object.entries(settings).map(([name, value]) => `${name} ${value}`)),
    ...(sent.elsewhere.length === 0 ? {} : { "told.files that were not carried": sent.elsewhere.join(", ") }),
    ...(sent.certificates.length === 0
      ? {}
      : { "told.certificates of this host's own": sent.certificates.join(", ") }),
  });
}

async function received(context: StepContext): Promise<Parcel> {
  const found = must(await context.parcels.find(parcelName));
  if (found === undefined) return stop("postgresql.parcel-missing", { what: parcelName });
  const text = await readFile(must(await context.parcels.fetch(found.digest)), "utf8");
  const read = parcel.safeParse(JSON.parse(text));
  if (read.success) return read.data;
  const cause = read.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`).join("; ");
  return stop("postgresql.parcel-unreadable", { what: parcelName, cause });
}

interface Written {
  readonly path: string;
  readonly text: string;
}

/** What is written, and the names of the settings that are told. */
export function filesFor(
  { settings: { host, port, user } }: Means,
  place: MadePlace,
  { sent, settings }: { readonly sent: Parcel; readonly settings: Wanted },
): {
  readonly files: readonly Written[];
  readonly changed: readonly string[];
  readonly aside: readonly string[];
} {
  const places = placesOf({ ...sent, unit: sent.unit ?? "" }, place);
  const own = ownSettings(place, { host, port: String(port), ...settings });
  const names = [...new Set([...ofOldHost, ...Object.keys(own)])];
  const changed = new Set<string>();
  const aside = new Set<string>();
  const carried = (before: string): string => {
    const local = without(before, names);
    const near = withoutElsewhere(local.text);
    const after = withPlaces(near.text, places);
    for (const name of settingsChanged(near.text, after)) changed.add(name);
    for (const name of local.names) if (!(name in own)) aside.add(name);
    return after;
  };
  const isDebian = place.config !== place.data;
  const files = sent.files
    .filter(({ name }) => isDebian || !ofDebian.includes(name))
    .map(({ name, text }): Written => {
      const path = join(place.config, name);
      if (name === "pg_hba.conf") return { path, text: withAgentLine(text, user) };
      if (name === "pg_ident.conf") return { path, text: withAgentMap(text, user) };
      if (name === "postgresql.conf") return { path, text: withSettings(carried(text), own) };
      return { path, text: name.endsWith(".conf") ? carried(text) : text };
    });
  const auto = { path: join(place.data, "postgresql.auto.conf"), text: carried(sent.auto) };
  return { files: [...files, auto], changed: [...changed].sort(), aside: [...aside].sort() };
}

function ownSettings(
  { data, config, listen }: MadePlace,
  { host, ...more }: Readonly<Record<string, string>> & { readonly host: string },
): Readonly<Record<string, string>> {
  return {
    ...(config === data
      ? {}
      : {
          data_directory: data,
          hba_file: join(config, "pg_hba.conf"),
          ident_file: join(config, "pg_ident.conf"),
        }),
    unix_socket_directories: host,
    ...(listen === undefined ? {} : { listen_addresses: listen }),
    ...more,
  };
}

async function writeFor(
  { host }: StepContext,
  { path, text }: Written,
  { uid, gid }: Account,
): Promise<void> {
  const file = host.path(path);
  const made = await makeFolders(dirname(file), 0o755);
  if (made !== undefined) {
    await chown(dirname(file), uid, gid);
    await chmod(dirname(file), 0o755);
  }
  await writeFileDurably(file, text, path.endsWith("auto.conf") ? 0o600 : 0o640);
  await chown(file, uid, gid);
}

/** Without them it would not start; to turn encryption off is nobody's to decide but a person's. */
async function mustHave(
  { host }: StepContext,
  place: MadePlace,
  { certificates, data, config, unit }: Parcel,
): Promise<void> {
  const places = placesOf({ data, config, unit: unit ?? "" }, place);
  const missing: string[] = [];
  for (const name of certificates) {
    const path = isAbsolute(name) ? withPlaces(name, places) : join(place.data, name);
    if ((await stat(host.path(path)).catch(() => undefined)) === undefined) missing.push(path);
  }
  if (missing.length > 0) stop("postgresql.certificates-missing", { files: missing.join(", ") });
}

function listOr(names: readonly string[]): string {
  return names.join(", ") || "none";
}

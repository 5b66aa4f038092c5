/** Saves what the vendor's reinstallation would wipe: configuration, certificates, unit. Into the agent's own folder. */
import { readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { type Facts, FailureError, type Outcome, succeed } from "#proto/common/failure.ts";
import { makeFolders } from "#proto/common/make-folders.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import { type Host, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { halfWay, label } from "./args.ts";
import { causeOf, manifestOf } from "./files.ts";
import type { CertificatesPlace, Installation, Means } from "./installation.ts";
import { installationOn } from "./installed.ts";
import { manifestText } from "./manifest.ts";
import { markNeeded, notNeeded } from "./needed.ts";
import { keptOriginal, namedAfter, notOriginal, originText } from "./origin.ts";

const keepCount = 8;
const copyMs = 60_000;

export function savingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "kwdb.save-configuration",
      class: "observe",
      args: z.strictObject({ label, halfWay }),
      async run(given, args): Promise<StepResult> {
        const context =
          args.halfWay === undefined ? given : ({ ...given, begunBefore: "irreversible" } as const);
        const folder = join(savedFolder(context), namedAfter(args.label, context));
        const kept = await keptOriginal(originOf(folder), context);
        if (kept !== undefined)
          return done({ folder, found: "saved before", ...notOriginal(kept, "old-configuration") });
        try {
          const told = await save(context, await installationOn(context.host, means), folder);
          await forgetOld(context);
          return done({ folder, ...told, ...notOriginal(context, "old-configuration") });
        } catch (error) {
          if (error instanceof FailureError) return failedBy(error.failure);
          return failed("kwdb.not-saved", { cause: causeOf(error) });
        }
      },
    }),
  ];
}

function savedFolder({ host }: StepContext): string {
  return join(host.stateDir, "saved");
}

function originOf(folder: string): string {
  return join(folder, "origin.json");
}

/** What could not be saved, to be told at the rollout's end. */
async function save(context: StepContext, here: Installation, folder: string): Promise<Facts> {
  const { host } = context;
  const beside = `${folder}.new`;
  await rm(beside, { recursive: true, force: true });
  await makeFolders(beside, 0o700);
  for (const path of here.worthSaving)
    await copy(host, ["-a"], [host.path(path), join(beside, basename(path))]);
  const certificates: Outcome<CertificatesPlace | undefined> =
    (await here.certificates?.()) ?? succeed(undefined);
  if (!certificates.ok) throw new FailureError(certificates.failure);
  const place = certificates.value;
  if (place !== undefined && "onHost" in place)
    // what the links in it mean, and not the links: they mean nothing in another folder
    await copy(host, ["-a", "-L"], [host.path(place.onHost), join(beside, "certificates")]);
  const more: Outcome<Record<string, string>> = (await here.alsoSaved?.()) ?? succeed({});
  if (!more.ok) throw new FailureError(more.failure);
  for (const [name, text] of Object.entries(more.value)) await writeFile(join(beside, name), text);
  await writeFile(join(beside, "manifest.json"), manifestText(await manifestOf(beside)));
  await writeFile(originOf(beside), originText(context));
  await markNeeded(beside, context.rollout);
  await rm(folder, { recursive: true, force: true });
  await rename(beside, folder);
  return place !== undefined && "notSeen" in place ? { "not-seen.certificates": place.notSeen } : {};
}

/** Owners, modes and attributes too: it may have to be put back as it is. */
async function copy(
  host: Host,
  how: readonly string[],
  [from, to]: readonly [string, string],
): Promise<void> {
  const copied = await host.look(["cp", ...how, "--", from, to], { deadlineMs: copyMs });
  if (copied.exitCode !== 0) throw new Error(copied.spawnError ?? `cp ${from}: ${copied.stderr.trim()}`);
}

/** One a rollout, and certificates are in it: those saved longest ago go, but none that this rollout needs. */
async function forgetOld(context: StepContext): Promise<void> {
  const names = await readdir(savedFolder(context));
  const all = names.map((name) => join(savedFolder(context), name));
  const folders = await notNeeded(all, context.rollout);
  const aged = await Promise.all(folders.map(async (each) => ({ each, atMs: (await stat(each)).mtimeMs })));
  const old = aged.sort((left, right) => right.atMs - left.atMs).slice(keepCount - 1);
  for (const { each } of old) await rm(each, { recursive: true, force: true });
}

/** Verbs around images: bring the new one into the engine and prove it, keep the old one, and let it go at the end. */
import { stat } from "node:fs/promises";
import { z } from "zod";
import { type Failure, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { rollout } from "../rollout-arg.ts";
import { digest, imageArgs, label, reference, version } from "./args.ts";
import type { ContainerInstallation } from "./container-installation.ts";
import { dockerFacts } from "./docker-facts.ts";
import { forgetKept } from "./forget-kept.ts";
import { imageOf, keptTag, type LoadedImage, loadedImage, programIn, rememberLoaded } from "./images.ts";
import type { Means } from "./installation.ts";
import { containerOn } from "./installed.ts";
import { lastLine } from "./last-line.ts";

const spareBytes = 512 * 1024 ** 2;

export function imageVerbs(means: Means): readonly Verb[] {
  return [
    inContainer(means, "load-image", z.strictObject({ digest, version }), loadImage),
    inContainer(means, "pull-image", z.strictObject({ reference, version }), pullImage),
    inContainer(means, "keep-image", z.strictObject({ label }), keepImage),
    inContainer(means, "prove-image", imageArgs, proveImage),
    inContainer(means, "forget-kept", z.strictObject({ label, of: rollout.optional() }), forgetKept),
  ];
}

export type InContainer<Args> = (
  context: StepContext,
  args: Args,
  here: ContainerInstallation,
  means: Means,
) => Promise<StepResult>;

/** Of class observe: beside its own names and folders such a verb changes nothing. */
function inContainer<Args>(means: Means, name: string, args: z.ZodType<Args>, run: InContainer<Args>): Verb {
  return verb({
    name: `kwdb.${name}`,
    class: "observe",
    args,
    async run(context, given): Promise<StepResult> {
      const here = await containerOn(context.host, means);
      return here === undefined ? failed("kwdb.no-container") : run(context, given, here, means);
    },
  });
}

/** Before anything is stopped: a file that does not load, or is of another version, is found here. */
const loadImage: InContainer<{ readonly digest: string; readonly version: string }> = async (
  { host, tool },
  args,
  here,
  means,
) => {
  const packed = await imageOf(host, args.digest);
  if (!packed.ok) return failedBy(packed.failure);
  const { reference, tar } = packed.value;
  const before = await loadedImage(host, args.digest);
  if (before.ok && (await here.docker.image(before.value.id)).ok) {
    const again = await here.docker.image(reference);
    if (again.ok && again.value?.Id === before.value.id)
      return done({ ...before.value, found: "loaded before" });
  }
  const why = (await whySameName(here, reference)) ?? (await whyNoRoom(here, tar, means));
  if (why !== undefined) return failedBy(why);
  const ran = await tool(here.docker.command(["load", "--input", tar]));
  const image = await here.docker.image(reference);
  if (!image.ok) return failedBy(image.failure, ran.tail);
  if (ran.exitCode !== 0 || image.value === undefined)
    return failed(
      "kwdb.image-load-failed",
      { cause: lastLine(ran.tail), exitCode: String(ran.exitCode ?? "") },
      ran.tail,
    );
  const loaded = { reference, id: image.value.Id };
  const wrong = await whyOtherVersion(here, means, loaded.id, args.version);
  if (wrong !== undefined) return failedBy(wrong);
  await rememberLoaded(host, args.digest, loaded);
  return done({ ...loaded }, ran.tail);
};

const pullImage: InContainer<{ readonly reference: string; readonly version: string }> = async (
  { tool },
  args,
  here,
  means,
) => {
  const ran = await tool(here.docker.command(["pull", "--quiet", args.reference]));
  const image = await here.docker.image(args.reference);
  if (!image.ok) return failedBy(image.failure, ran.tail);
  if (image.value === undefined)
    return failed("kwdb.image-pull-failed", { image: args.reference, cause: lastLine(ran.tail) }, ran.tail);
  const wrong = await whyOtherVersion(here, means, image.value.Id, args.version);
  return wrong === undefined ? done({ reference: args.reference, id: image.value.Id }) : failedBy(wrong);
};

async function whyOtherVersion(
  here: ContainerInstallation,
  { images: versions }: Means,
  id: string,
  wanted: string,
): Promise<Failure | undefined> {
  const found = await programIn(here.docker, id, { versions });
  if (!found.ok) return found.failure;
  return found.value.version === wanted
    ? undefined
    : failure("kwdb.image-version", { found: found.value.version, wanted, image: id });
}

/** deploy.sh removes the old image by its name after it has loaded the new one: under one name it removes the new one. */
async function whySameName(here: ContainerInstallation, reference: string): Promise<Failure | undefined> {
  const found = await here.inspect();
  if (!found.ok) return found.failure;
  const old = found.value?.Config.Image;
  return old !== undefined && wholeName(old) === wholeName(reference)
    ? failure("kwdb.image-same-name", { image: reference })
    : undefined;
}

function wholeName(reference: string): string {
  const short = reference.replace(/^docker\.io\//, "").replace(/^library\//, "");
  return /:[^/]+$|@/.test(short) ? short : `${short}:latest`;
}

async function whyNoRoom(
  here: ContainerInstallation,
  tar: string,
  { settings }: Means,
): Promise<Failure | undefined> {
  const [engine, { size }] = await Promise.all([dockerFacts(here, settings.user), stat(tar)]);
  if (!engine.ok) return engine.failure;
  const { root, availableBytes } = engine.value;
  // unpacked, and the archive once more while it is read
  const wanted = size * 3 + spareBytes;
  return availableBytes >= wanted
    ? undefined
    : failure("kwdb.package-no-room", { place: root, free: String(availableBytes), wanted: String(wanted) });
}

const keepImage: InContainer<{ readonly label: string }> = async ({ tool, rollout }, args, here) => {
  const kept = keptTag(args.label, rollout);
  const before = await here.docker.image(kept);
  if (!before.ok) return failedBy(before.failure);
  if (before.value !== undefined) return done({ kept, id: before.value.Id, found: "kept before" });
  const found = await imageInUse(here);
  if (!found.ok) return failedBy(found.failure);
  const { id, name } = found.value;
  const ran = await tool(here.docker.command(["tag", id, kept]));
  const after = await here.docker.image(kept);
  if (!after.ok) return failedBy(after.failure, ran.tail);
  return after.value?.Id === id
    ? done({ kept, id, image: name })
    : failed("kwdb.image-not-kept", { image: name, cause: lastLine(ran.tail) }, ran.tail);
};

/** The container's; where there is no container, as after `docker-compose down`, what a start would take. */
async function imageInUse(
  here: ContainerInstallation,
): Promise<Outcome<{ readonly id: string; readonly name: string }>> {
  const found = await here.inspect();
  if (!found.ok) return found;
  if (found.value !== undefined) return succeed({ id: found.value.Image, name: found.value.Config.Image });
  const next = await here.program();
  return next.ok ? succeed({ id: `sha256:${next.value.sha256}`, name: next.value.version }) : next;
}

/** What a step means by its image: the one of this id, that of its package, or that of the registry. */
export async function wantedImage(
  { host }: Pick<StepContext, "host">,
  { digest: of, reference: named, image: id, name }: z.infer<typeof imageArgs>,
  here: ContainerInstallation,
): Promise<Outcome<LoadedImage>> {
  if (id !== undefined) {
    const found = await here.docker.image(id);
    if (!found.ok) return found;
    return found.value?.Id === id
      ? succeed({ reference: name ?? id, id })
      : { ok: false, failure: failure("kwdb.image-missing", { image: id }) };
  }
  if (named === "") return loadedImage(host, of);
  const image = await here.docker.image(named);
  if (!image.ok) return image;
  return image.value === undefined
    ? { ok: false, failure: failure("kwdb.image-missing", { image: named }) }
    : succeed({ reference: named, id: image.value.Id });
}

const proveImage: InContainer<z.infer<typeof imageArgs>> = async (context, args, here) => {
  const wanted = await wantedImage(context, args, here);
  if (!wanted.ok) return failedBy(wanted.failure);
  const found = await here.program();
  if (!found.ok) return failedBy(found.failure);
  const { version: told, sha256 } = found.value;
  const id = wanted.value.id.replace(/^sha256:/, "");
  return sha256 === id && told === args.version
    ? done({ image: wanted.value.reference, id: wanted.value.id })
    : failed("kwdb.image-other", {
        found: `${told} sha256:${sha256.slice(0, 12)}`,
        wanted: `${args.version} sha256:${id.slice(0, 12)}`,
      });
};

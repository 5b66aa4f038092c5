/**
 * The old image found again and given its own name: deploy.sh has taken the name away, what was kept has another one,
 * and a compose file or a container knows its image by the name. A name that something else has by now is not taken.
 */
import type { z } from "zod";
import { type Failure, failure, type Outcome } from "#proto/common/failure.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { imageArgs } from "./args.ts";
import { change, type Deed } from "./container-change.ts";
import type { ContainerInstallation } from "./container-installation.ts";
import { wantedImage } from "./image-verbs.ts";
import { type LoadedImage, programIn } from "./images.ts";
import type { Means } from "./installation.ts";
import { containerOn } from "./installed.ts";
import { lastLine } from "./last-line.ts";

type Args = z.infer<typeof imageArgs>;

export function oldImageVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "kwdb.prove-old-image",
      class: "observe",
      args: imageArgs,
      async run(context, given): Promise<StepResult> {
        const here = await containerOn(context.host, means);
        return here === undefined ? failed("kwdb.no-container") : prove({ context, here, means }, given);
      },
    }),
    change(means, "restore-image", imageArgs, { run: restore, probe: isNamed }),
  ];
}

interface Asked {
  readonly context: StepContext;
  readonly here: ContainerInstallation;
  readonly means: Means;
}

/** Before anything is stopped: it is in the engine, of the old version, and its name is free or its own. */
async function prove({ context, here, means }: Asked, given: Args): Promise<StepResult> {
  const wanted = await wantedImage(context, given, here);
  if (!wanted.ok) return failedBy(wanted.failure);
  const { id } = wanted.value;
  const told = await programIn(here.docker, id, { versions: means.images });
  if (!told.ok) return failedBy(told.failure);
  if (told.value.version !== given.version)
    return failed("kwdb.image-version", { found: told.value.version, wanted: given.version, image: id });
  const why = await whyTaken(here, wanted.value, given.name);
  return why === undefined ? done({ id, image: given.name ?? wanted.value.reference }) : failedBy(why);
}

async function whyTaken(
  here: ContainerInstallation,
  { id }: LoadedImage,
  name: string | undefined,
): Promise<Failure | undefined> {
  if (name === undefined) return undefined;
  const found = await here.docker.image(name);
  if (!found.ok) return found.failure;
  return found.value === undefined || found.value.Id === id
    ? undefined
    : failure("kwdb.image-name-taken", { image: name, found: found.value.Id, wanted: id });
}

const isNamed: Deed<Args>["probe"] = async (context, given, here): Promise<Outcome<boolean>> => {
  const wanted = await wantedImage(context, given, here);
  if (!wanted.ok) return wanted;
  const found = await here.docker.image(given.name ?? wanted.value.reference);
  return found.ok ? { ok: true, value: found.value?.Id === wanted.value.id } : found;
};

const restore: Deed<Args>["run"] = async (context, given, here) => {
  const wanted = await wantedImage(context, given, here);
  if (!wanted.ok) return failedBy(wanted.failure);
  const { id, reference } = wanted.value;
  const name = given.name ?? reference;
  const why = await whyTaken(here, wanted.value, name);
  if (why !== undefined) return failedBy(why);
  const found = await here.docker.image(name);
  if (found.ok && found.value?.Id === id) return done({ id, image: name, found: "it has its name" });
  const ran = await context.tool(here.docker.command(["tag", id, name]));
  const after = await here.docker.image(name);
  if (!after.ok) return failedBy(after.failure, ran.tail);
  return after.value?.Id === id
    ? done({ id, image: name })
    : failed("kwdb.image-not-named", { image: name, cause: lastLine(ran.tail) }, ran.tail);
};

/** A container of `docker run` made like the one that was set aside, of another image; and taken away again, if it never ran. */
import type { z } from "zod";
import { type Failure, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import type { StepContext, StepResult } from "../../verb.ts";
import { digest, imageArgs } from "./args.ts";
import { oldOne } from "./container-aside.ts";
import { type Deed, ownName } from "./container-change.ts";
import type { ContainerInstallation } from "./container-installation.ts";
import type { Repeated } from "./container-repeat.ts";
import type { Inspected } from "./docker.ts";
import { wantedImage } from "./image-verbs.ts";
import { lastLine } from "./last-line.ts";
import { repetitionOf, wordsDigest } from "./repetition.ts";

export const createArgs = imageArgs.extend({ words: digest });
type CreateArgs = z.infer<typeof createArgs>;
type ImageArgs = z.infer<typeof imageArgs>;

export async function createContainer(
  context: StepContext,
  args: CreateArgs,
  here: ContainerInstallation,
): Promise<StepResult> {
  const [image, old, name] = [
    await wantedImage(context, args, here),
    await oldOne(context, here),
    ownName(here),
  ];
  if (!image.ok) return failedBy(image.failure);
  if (!old.ok) return failedBy(old.failure);
  if (!name.ok) return failedBy(name.failure);
  const words = await repetitionOf(here.docker, old.value);
  if (!words.ok) return failedBy(words.failure);
  const why = whyNotThese(words.value, args.words);
  if (why !== undefined) return failedBy(why);
  const { options, command } = words.value;
  const request = here.docker.command([
    "create",
    "--name",
    name.value,
    ...options,
    image.value.reference,
    ...command,
  ]);
  const ran = await context.tool(request);
  const made = await here.inspect();
  if (!made.ok) return failedBy(made.failure, ran.tail);
  if (made.value === undefined)
    return failed("kwdb.container-not-created", { cause: lastLine(ran.tail) }, ran.tail);
  const differs = await whyDifferent(here, made.value, { old: words.value, imageId: image.value.id });
  if (differs === undefined)
    return done({ container: name.value, id: made.value.Id, image: image.value.reference });
  // what has the name is then another's, made since the old one was set aside
  return ran.exitCode === 0
    ? failedBy(differs)
    : failed("kwdb.container-not-created", { cause: lastLine(ran.tail) }, ran.tail);
}

/** The plan has shown these words; others are another container. */
function whyNotThese({ options, command, refused }: Repeated, wanted: string): Failure | undefined {
  if (refused.length > 0) return failure("kwdb.container-not-repeatable", { refused: refused.join("; ") });
  return wordsDigest({ options, command }) === wanted ? undefined : failure("kwdb.container-changed", {});
}

/** Taken apart again, the new one must be made of the very words of the old one. */
async function whyDifferent(
  here: ContainerInstallation,
  made: Inspected,
  { old, imageId }: { readonly old: Repeated; readonly imageId: string },
): Promise<Failure | undefined> {
  if (made.Image !== imageId) return failure("kwdb.image-other", { found: made.Image, wanted: imageId });
  const words = await repetitionOf(here.docker, made);
  if (!words.ok) return words.failure;
  const lost = old.options.filter((word) => !words.value.options.includes(word));
  const added = words.value.options.filter((word) => !old.options.includes(word));
  return lost.length + added.length === 0
    ? undefined
    : failure("kwdb.container-differs", {
        lost: lost.join(" ") || "nothing",
        added: added.join(" ") || "nothing",
      });
}

export async function isMade(
  context: StepContext,
  args: ImageArgs,
  here: ContainerInstallation,
): Promise<Outcome<boolean>> {
  const [image, found] = [await wantedImage(context, args, here), await here.inspect()];
  if (!image.ok) return image;
  return found.ok ? succeed(found.value?.Image === image.value.id) : found;
}

export const isCreated: Deed<CreateArgs>["probe"] = (context, { words: _, ...args }, here) =>
  isMade(context, args, here);

/** Only one that never ran: a new version that has opened the data is not taken away from it. */
export async function removeContainer(
  context: StepContext,
  args: ImageArgs,
  here: ContainerInstallation,
): Promise<StepResult> {
  const found = await here.inspect();
  if (!found.ok) return failedBy(found.failure);
  if (found.value === undefined) return done({ found: "none" });
  const isOurs = await isMade(context, args, here);
  if (!isOurs.ok) return failedBy(isOurs.failure);
  if (!isOurs.value) return done({ found: "another" });
  if (found.value.State.Status !== "created")
    return failed("kwdb.container-runs", { container: found.value.Name });
  const ran = await context.tool(here.docker.command(["rm", found.value.Id]));
  const left = await here.docker.container(found.value.Id);
  if (!left.ok) return failedBy(left.failure);
  return left.value === undefined
    ? done()
    : failed("kwdb.docker-failed", { what: "docker rm", cause: lastLine(ran.tail) });
}

/**
 * Verbs that put a new container in an old one's place, where the operator has made it: by `docker run` (the old one is
 * renamed, the new one created like it) or by a compose file (its image line changes). The old one is not removed by them.
 */
import { copyFile, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { makeFolderDurably } from "../../host/file-runner.ts";
import {
  type Probe,
  type StepContext,
  type StepResult,
  type ToolRequest,
  type Verb,
  verb,
} from "../../verb.ts";
import { digest, imageArgs, nothing } from "./args.ts";
import { withImage } from "./compose-file.ts";
import { composeCommand } from "./composed.ts";
import type { ContainerInstallation } from "./container-installation.ts";
import type { Repeated } from "./container-repeat.ts";
import type { Inspected } from "./docker.ts";
import { readText, writeAsBefore } from "./files.ts";
import { lastLine, wantedImage } from "./image-verbs.ts";
import type { Means } from "./installation.ts";
import { containerOn } from "./installed.ts";
import { done, failed, failedBy } from "./outcome.ts";
import { repetitionOf, wordsDigest } from "./repetition.ts";
import { asideName, forgetSetAside, readSetAside, type SetAside, writeSetAside } from "./set-aside.ts";

const createArgs = imageArgs.extend({ words: digest });
type CreateArgs = z.infer<typeof createArgs>;
type ImageArgs = z.infer<typeof imageArgs>;

export function containerVerbs(means: Means): readonly Verb[] {
  const changes = <Args>(name: string, args: z.ZodType<Args>, deed: Deed<Args>) =>
    change(means, name, args, deed);
  return [
    changes("set-aside", nothing, { run: setAside, probe: isSetAside }),
    changes("bring-back", nothing, { run: bringBack, probe: async (...of) => not(await isSetAside(...of)) }),
    changes("create-container", createArgs, { run: createContainer, probe: isCreated }),
    changes("remove-container", imageArgs, {
      run: removeContainer,
      probe: async (...of) => not(await isMade(...of)),
    }),
    changes("change-image-line", imageArgs, { run: changeImageLine, probe: hasImageLine }),
    changes("restore-image-line", nothing, { run: restoreImageLine, probe: isRestored }),
    changes("up-container", imageArgs, { run: (...of) => up(means, ...of), probe: isMade }),
  ];
}

interface Deed<Args> {
  run(context: StepContext, args: Args, here: ContainerInstallation): Promise<StepResult>;
  /** undefined: it could be asked, and it is not so. */
  probe(context: StepContext, args: Args, here: ContainerInstallation): Promise<Outcome<boolean>>;
}

function change<Args>(means: Means, name: string, args: z.ZodType<Args>, deed: Deed<Args>): Verb {
  return verb({
    name: `kwdb.${name}`,
    class: "reversible",
    args,
    async run(context, given): Promise<StepResult> {
      const here = await containerOn(context.host, means);
      return here === undefined ? failed("kwdb.no-container") : deed.run(context, given, here);
    },
    async probe(context, given): Promise<Probe> {
      const here = await containerOn(context.host, means);
      if (here === undefined) return { state: "unknown", failure: failure("kwdb.no-container", {}) };
      const found = await deed.probe(context, given, here);
      if (!found.ok) return { state: "unknown", failure: found.failure };
      return found.value ? { state: "done", outputs: {} } : { state: "not-done" };
    },
  });
}

function not(found: Outcome<boolean>): Outcome<boolean> {
  return found.ok ? succeed(!found.value) : found;
}

/** The name of a container made by `docker run`. */
function ownName({ name }: ContainerInstallation): Outcome<string> {
  if (!name.ok) return name;
  return name.value === undefined
    ? fail("kwdb.container-missing", { form: "docker-run" })
    : succeed(name.value);
}

async function isSetAside(
  { rollout }: StepContext,
  _: unknown,
  here: ContainerInstallation,
): Promise<Outcome<boolean>> {
  const name = ownName(here);
  if (!name.ok) return name;
  const aside = await here.docker.container(asideName(name.value, rollout));
  return aside.ok ? succeed(aside.value !== undefined) : aside;
}

/** Renamed, and not to be restarted by the engine: after the host's next boot it would come up beside the new one. */
async function setAside(
  { host, tool, rollout }: StepContext,
  _: unknown,
  here: ContainerInstallation,
): Promise<StepResult> {
  const name = ownName(here);
  const found = await here.inspect();
  if (!name.ok) return failedBy(name.failure);
  if (!found.ok) return failedBy(found.failure);
  if (found.value === undefined) return failed("kwdb.container-missing", { form: here.form });
  if (found.value.State.Running) return failed("kwdb.container-runs", { container: name.value });
  const aside = asideName(name.value, rollout);
  const known = await readSetAside(host, name.value);
  if (known?.rollout !== rollout) {
    const restartPolicy = (found.value.HostConfig["RestartPolicy"] ?? {}) as SetAside["restartPolicy"];
    await writeSetAside(host, { name: name.value, aside, rollout, restartPolicy });
  }
  await tool(here.docker.command(["update", "--restart=no", name.value]));
  const ran = await tool(here.docker.command(["rename", name.value, aside]));
  const after = await here.docker.container(aside);
  if (!after.ok) return failedBy(after.failure, ran.tail);
  return after.value?.Id === found.value.Id
    ? done({ container: aside, id: found.value.Id })
    : failed("kwdb.container-not-renamed", { container: name.value, cause: lastLine(ran.tail) }, ran.tail);
}

async function bringBack(
  { host, tool, rollout }: StepContext,
  _: unknown,
  here: ContainerInstallation,
): Promise<StepResult> {
  const name = ownName(here);
  if (!name.ok) return failedBy(name.failure);
  const known = await readSetAside(host, name.value);
  if (known?.rollout !== rollout) return failed("kwdb.container-missing", { form: here.form });
  const renamed = await tool(here.docker.command(["rename", known.aside, name.value]));
  const back = await here.inspect();
  if (!back.ok) return failedBy(back.failure);
  if (back.value === undefined)
    return failed(
      "kwdb.container-not-renamed",
      { container: known.aside, cause: lastLine(renamed.tail) },
      renamed.tail,
    );
  const policy = policyWord(known.restartPolicy);
  await tool(here.docker.command(["update", `--restart=${policy}`, name.value]));
  await forgetSetAside(host, name.value);
  return done({ container: name.value, restart: policy });
}

function policyWord({ Name = "", MaximumRetryCount = 0 }: SetAside["restartPolicy"]): string {
  const count = Number(MaximumRetryCount);
  return Name === "" ? "no" : `${String(Name)}${count > 0 ? `:${count}` : ""}`;
}

/** The old one as it was before it was set aside. */
async function oldOne(
  { host, rollout }: StepContext,
  here: ContainerInstallation,
): Promise<Outcome<Inspected>> {
  const name = ownName(here);
  if (!name.ok) return name;
  const known = await readSetAside(host, name.value);
  if (known?.rollout !== rollout) return fail("kwdb.container-missing", { form: here.form });
  const found = await here.docker.container(known.aside);
  if (!found.ok) return found;
  if (found.value === undefined) return fail("kwdb.container-missing", { form: here.form });
  const { HostConfig } = found.value;
  return succeed({
    ...found.value,
    Name: `/${known.name}`,
    HostConfig: { ...HostConfig, RestartPolicy: known.restartPolicy },
  });
}

async function createContainer(
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
  return differs === undefined
    ? done({ container: name.value, id: made.value.Id, image: image.value.reference })
    : failedBy(differs);
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

async function isMade(
  context: StepContext,
  args: ImageArgs,
  here: ContainerInstallation,
): Promise<Outcome<boolean>> {
  const [image, found] = [await wantedImage(context, args, here), await here.inspect()];
  if (!image.ok) return image;
  return found.ok ? succeed(found.value?.Image === image.value.id) : found;
}

const isCreated: Deed<CreateArgs>["probe"] = (context, { words: _, ...args }, here) =>
  isMade(context, args, here);

/** Only one that never ran: a new version that has opened the data is not taken away from it. */
async function removeContainer(
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

function savedCompose({ host, rollout }: StepContext): string {
  return join(host.stateDir, "containers", `compose-${rollout.replace(/[^A-Za-z0-9_.-]/g, "_")}.yml`);
}

async function hasImageLine(
  context: StepContext,
  args: ImageArgs,
  here: ContainerInstallation,
): Promise<Outcome<boolean>> {
  const [wanted, found] = [await wantedImage(context, args, here), await here.program()];
  if (!wanted.ok) return wanted;
  return found.ok ? succeed(`sha256:${found.value.sha256}` === wanted.value.id) : found;
}

async function changeImageLine(
  context: StepContext,
  args: ImageArgs,
  here: ContainerInstallation,
): Promise<StepResult> {
  const { host } = context;
  if (here.composeFile === undefined) return failed("kwdb.no-container");
  const [wanted, text] = [await wantedImage(context, args, here), await readText(host, here.composeFile)];
  if (!wanted.ok) return failedBy(wanted.failure);
  if (!text.ok) return failedBy(text.failure);
  const changed = withImage(text.value, wanted.value.reference);
  if (!changed.ok) return failedBy(changed.failure);
  const path = host.path(here.composeFile);
  const saved = savedCompose(context);
  if ((await stat(saved).catch(() => undefined)) === undefined) {
    await makeFolderDurably(join(host.stateDir, "containers"));
    await copyFile(path, `${saved}.new`);
    await rename(`${saved}.new`, saved);
  }
  await writeAsBefore(path, changed.value);
  return done({ file: here.composeFile, image: wanted.value.reference });
}

async function isRestored(
  context: StepContext,
  _: unknown,
  here: ContainerInstallation,
): Promise<Outcome<boolean>> {
  const saved = await readFile(savedCompose(context), "utf8").catch(() => undefined);
  if (saved === undefined || here.composeFile === undefined) return succeed(true);
  const text = await readText(context.host, here.composeFile);
  return text.ok ? succeed(text.value === saved) : text;
}

async function restoreImageLine(
  context: StepContext,
  _: unknown,
  here: ContainerInstallation,
): Promise<StepResult> {
  const saved = await readFile(savedCompose(context), "utf8").catch(() => undefined);
  if (saved === undefined || here.composeFile === undefined) return done({ found: "nothing was changed" });
  await writeAsBefore(context.host.path(here.composeFile), saved);
  return done({ file: here.composeFile });
}

/** Compose makes the new container beside the old one, and removes the old one only when that worked. */
async function up(
  means: Means,
  context: StepContext,
  args: ImageArgs,
  here: ContainerInstallation,
): Promise<StepResult> {
  const { host, tool } = context;
  if (here.composeFile === undefined) return failed("kwdb.no-container");
  const request: ToolRequest = composeCommand(host, means.settings, here.composeFile, ["up", "--detach"]);
  const ran = await tool(request);
  const now = await containerOn(host, means);
  const made = now === undefined ? succeed(false) : await isMade(context, args, now);
  if (!made.ok) return failedBy(made.failure, ran.tail);
  return made.value
    ? done({ exitCode: String(ran.exitCode ?? "") })
    : failed("kwdb.container-not-created", { cause: lastLine(ran.tail) }, ran.tail);
}

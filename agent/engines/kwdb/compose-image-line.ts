/** The one image line of an operator's compose file, and the container that compose makes of it. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import { type Failure, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { makeFolderDurably, writeFileDurably } from "../../host/file-runner.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import type { StepContext, StepResult, ToolRequest } from "../../verb.ts";
import type { imageArgs } from "./args.ts";
import { readCompose, withImage } from "./compose-file.ts";
import { composeCommand } from "./composed.ts";
import { isMade } from "./container-create.ts";
import type { ContainerInstallation } from "./container-installation.ts";
import { readText, writeAsBefore } from "./files.ts";
import { wantedImage } from "./image-verbs.ts";
import type { Means } from "./installation.ts";
import { containerOn } from "./installed.ts";
import { lastLine } from "./last-line.ts";
import { rememberReplaced } from "./replaced.ts";

type ImageArgs = z.infer<typeof imageArgs>;

function savedCompose({ host, rollout }: StepContext): string {
  return join(host.stateDir, "containers", `compose-${rollout.replace(/[^A-Za-z0-9_.-]/g, "_")}.yml`);
}

export async function hasImageLine(
  context: StepContext,
  args: ImageArgs,
  here: ContainerInstallation,
): Promise<Outcome<boolean>> {
  const [wanted, found] = [await wantedImage(context, args, here), await here.program()];
  if (!wanted.ok) return wanted;
  return found.ok ? succeed(`sha256:${found.value.sha256}` === wanted.value.id) : found;
}

export async function changeImageLine(
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
  const old = await here.inspect();
  if (!old.ok) return failedBy(old.failure);
  if (old.value !== undefined) await rememberReplaced(host, old.value);
  const path = host.path(here.composeFile);
  const saved = savedCompose(context);
  if ((await stat(saved).catch(() => undefined)) === undefined) {
    await makeFolderDurably(join(host.stateDir, "containers"));
    await writeFileDurably(saved, text.value);
  }
  await writeAsBefore(path, changed.value);
  return done({ file: here.composeFile, image: wanted.value.reference });
}

export async function isRestored(
  context: StepContext,
  _: unknown,
  here: ContainerInstallation,
): Promise<Outcome<boolean>> {
  const saved = await readFile(savedCompose(context), "utf8").catch(() => undefined);
  if (saved === undefined || here.composeFile === undefined) return succeed(true);
  const text = await readText(context.host, here.composeFile);
  if (!text.ok) return text;
  const old = withOldImage(text.value, saved);
  return old.ok ? succeed(old.value === text.value) : old;
}

/** Only the image goes back: what an operator has written since stays. Refused: `kwdb.compose-images`. */
function withOldImage(text: string, saved: string): Outcome<string> {
  const before = readCompose(saved);
  if (!before.ok) return before;
  return withImage(text, before.value.images[0] ?? "");
}

export async function restoreImageLine(
  context: StepContext,
  _: unknown,
  here: ContainerInstallation,
): Promise<StepResult> {
  const saved = await readFile(savedCompose(context), "utf8").catch(() => undefined);
  if (saved === undefined || here.composeFile === undefined) return done({ found: "nothing was changed" });
  const text = await readText(context.host, here.composeFile);
  if (!text.ok) return failedBy(text.failure);
  const old = withOldImage(text.value, saved);
  if (!old.ok) return failedBy(old.failure);
  await writeAsBefore(context.host.path(here.composeFile), old.value);
  return done({ file: here.composeFile });
}

/** Made, and not only made: compose starts it last, and may have been ended before that. */
export async function isUp(
  context: StepContext,
  args: ImageArgs,
  here: ContainerInstallation,
): Promise<Outcome<boolean>> {
  const made = await isMade(context, args, here);
  if (!made.ok || !made.value) return made;
  const found = await here.inspect();
  return found.ok ? succeed(found.value?.State.Running === true) : found;
}

/**
 * Compose makes the new container beside the old one, and removes the old one only when that worked. One that runs it
 * would stop with a patience of 10 s.
 */
export async function up(
  means: Means,
  context: StepContext,
  args: ImageArgs,
  here: ContainerInstallation,
): Promise<StepResult> {
  const { host, tool } = context;
  if (here.composeFile === undefined) return failed("kwdb.no-container");
  const why = await whyNotUp(context, args, here);
  if (why !== undefined) return failedBy(why);
  const request: ToolRequest = composeCommand(host, means.settings, here.composeFile, ["up", "--detach"]);
  const ran = await tool(request);
  const now = await containerOn(host, means);
  const made = now === undefined ? succeed(false) : await isMade(context, args, now);
  if (!made.ok) return failedBy(made.failure, ran.tail);
  if (!made.value) return failed("kwdb.container-not-created", { cause: lastLine(ran.tail) }, ran.tail);
  const end = ran.exitCode === 0 ? undefined : await now?.end?.();
  return end === undefined
    ? done({ exitCode: String(ran.exitCode ?? "") })
    : failed("kwdb.container-not-started", { ...end, cause: lastLine(ran.tail) }, ran.tail);
}

async function whyNotUp(
  context: StepContext,
  args: ImageArgs,
  here: ContainerInstallation,
): Promise<Failure | undefined> {
  const [found, made] = [await here.inspect(), await isMade(context, args, here)];
  if (!found.ok) return found.failure;
  if (!made.ok) return made.failure;
  const runs = found.value?.State.Running === true && !made.value;
  return runs ? failure("kwdb.container-runs", { container: found.value?.Name ?? "" }) : undefined;
}

/**
 * Both sides at one moment, while applications write. The old server's tables are locked against writes (SHARE, within limits); a mark in
 * the WAL is awaited on its slot; both sides begin a snapshot; the locks go. The two agents meet over the coordinator, by files.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolderDurably } from "../../host/file-runner.ts";
import { markFolder } from "../../host/marks.ts";
import type { StepContext } from "../../verb.ts";
import { slug } from "../databases.ts";
import { must } from "./desk.ts";

export const pollMs = 50;
export const meetMs = 120_000;

/**
 * What one side says to the other about a database; `seen` of the new server, the others of the old one. `over`: the old server tries
 * no more, whatever has become of it.
 */
type Word = "still" | "seen" | "agreed" | "hashes" | "given-up" | "over";

/** A moment at which the old server stood still; `token` tells it from one of the same number, of a life that was ended. */
export interface Moment {
  readonly attempt: number;
  readonly token: string;
}

/** Another stage, and a retry of this one, speak of other files than the one before. */
export function nameOf(
  context: StepContext,
  word: Word,
  database: string,
  { attempt, token }: { readonly attempt?: number; readonly token?: string } = {},
): string {
  const which = [attempt, token].filter((part) => part !== undefined).map((part) => `${part}-`);
  return `verify-${slug(context.stage)}-${word}-${context.attempt}-${which.join("")}${slug(database)}`;
}

/** Digest of what was told. */
export async function tell(
  context: StepContext,
  name: string,
  text: string,
  until?: AbortSignal,
): Promise<string> {
  const folder = join(markFolder(context), "verify");
  await makeFolderDurably(folder);
  const file = join(folder, name);
  await writeFile(file, text);
  return must(await context.parcels.send(name, file, until));
}

export const tokenOf = (digest: string): string => digest.slice(0, 16);

export async function isTold(context: StepContext, name: string): Promise<boolean> {
  return must(await context.parcels.find(name)) !== undefined;
}

export async function heard(
  context: StepContext,
  name: string,
  limitMs: number,
  until: AbortSignal = context.signal,
): Promise<boolean> {
  const { clock } = context.host;
  for (const endMs = clock.monotonicMs() + limitMs; !until.aborted; ) {
    if (must(await context.parcels.find(name, until)) !== undefined) return true;
    if (clock.monotonicMs() >= endMs) return false;
    await clock.sleep(pollMs, until).catch(() => undefined);
  }
  return false;
}

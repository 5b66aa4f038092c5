/**
 * What this agent has made for a new server: written before it is begun. It stays as long as the server does, since the way back may
 * be asked for after the rollout's end; so it lies beside the notes of moves, and is no left-over of one.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { makeFolderDurably, syncFolder, writeFileDurably } from "../../../host/file-runner.ts";
import { folderOf, readMark } from "../../../host/marks.ts";
import type { StepContext } from "../../../verb.ts";
import { stop } from "../desk.ts";

const format = 1;

const folder = z.object({
  path: z.string(),
  /** Null: there was none. */
  before: z.object({ uid: z.number(), gid: z.number(), mode: z.number() }).nullable(),
  /** The highest folder that had to be made for it. */
  top: z.string().nullable(),
});

const note = z.object({
  folders: z.array(folder),
  /** Which try of which stage emptied the data folder last. */
  clearedFor: z.string().nullable(),
  /** `initdb` has ended well. */
  systemId: z.string().nullable(),
  isConfigured: z.boolean(),
  /** The unit is to be started at boot, as the old one's is. */
  isEnabled: z.boolean(),
  /** It was so before; null: not looked at yet. */
  wasEnabled: z.boolean().nullable(),
  /** Checkpoint of its stop, where the server had said before it that nothing of anybody's is in it. */
  unusedAt: z.string().nullable().default(null),
});
export type Note = z.infer<typeof note>;

export type Of = Pick<StepContext, "host" | "rollout">;

const nothingMade: Note = {
  folders: [],
  clearedFor: null,
  systemId: null,
  isConfigured: false,
  isEnabled: true,
  wasEnabled: null,
  unusedAt: null,
};

function fileOf({ host, rollout }: Of): string {
  return join(host.stateDir, "made", `${folderOf(rollout)}.json`);
}

/** Undefined where this rollout has made nothing. Throws `mark.unreadable`. */
export function readNote(of: Of): Promise<Note | undefined> {
  return readMark(fileOf(of), note);
}

/** Ends the step where there is none. */
export async function mustRead(of: Of): Promise<Note> {
  return (await readNote(of)) ?? stop("postgresql.make-not-begun", { rollout: of.rollout });
}

export async function alterNote(of: Of, part: Partial<Note>): Promise<Note> {
  const value = { ...nothingMade, ...(await readNote(of)), ...part };
  await makeFolderDurably(join(of.host.stateDir, "made"));
  await writeFileDurably(fileOf(of), JSON.stringify({ format, value }));
  return value;
}

export async function dropNote(of: Of): Promise<void> {
  await rm(fileOf(of), { force: true });
  await syncFolder(join(of.host.stateDir, "made")).catch(() => undefined);
}

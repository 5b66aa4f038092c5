/** What this agent has done for an upgrade in place, in its own folder: written before it is begun, read by every later step. */
import { z } from "zod";
import { birthSchema } from "#proto/engines/postgresql-made.ts";
import { type Mark, markOf } from "../../../host/marks.ts";
import type { StepContext } from "../../../verb.ts";
import { stop } from "../desk.ts";

export const mode = z.enum(["copy", "clone", "link"]);
export type Mode = z.infer<typeof mode>;

const note = z.object({
  /** System identifier of the old server. */
  systemId: z.string(),
  birth: birthSchema,
  /** Made by us, and so ours to empty: which try of which stage emptied it last. */
  clearedFor: z.string().nullable(),
  /** `initdb` has ended well, and `pg_upgrade` has not been begun on it. */
  isFresh: z.boolean(),
  newSystemId: z.string().nullable(),
  /** The folder of the new configuration was made by us. */
  hasConfig: z.boolean(),
  /** How `pg_upgrade` was begun; null: it was not. */
  mode: mode.nullable(),
  /** The old unit was started at boot. */
  wasEnabled: z.boolean().nullable(),
  /** The new server was told to start: after `link` nothing leads back from here. */
  isNewStarted: z.boolean(),
  /** Clients were let into the new server: rows may be there and nowhere else. */
  isOpened: z.boolean(),
  /** The old data is being removed: what is left of it tells no more whose it is. */
  isOldGoing: z.boolean(),
});
export type Note = z.infer<typeof note>;

export type Of = Pick<StepContext, "host" | "rollout">;

function markFor(of: Of): Mark<Note> {
  return markOf(of, "in-place", note);
}

export function readNote(of: Of): Promise<Note | undefined> {
  return markFor(of).read();
}

/** Ends the step where this rollout has none. */
export async function mustRead(of: Of): Promise<Note> {
  return (await readNote(of)) ?? stop("postgresql.in-place-not-begun", { rollout: of.rollout });
}

export function writeNote(of: Of, value: Note): Promise<void> {
  return markFor(of).write(value);
}

export async function alterNote(of: Of, part: Partial<Note>): Promise<Note> {
  const altered = { ...(await mustRead(of)), ...part };
  await writeNote(of, altered);
  return altered;
}

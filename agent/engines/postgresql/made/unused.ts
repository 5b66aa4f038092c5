/**
 * That nobody has put anything into a server that was made by us, before it is stopped or removed: by its files, and by its own word.
 * One that is at rest has given its word before it was stopped, and has not run since; or it has never made anything.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { FailureError } from "#proto/common/failure.ts";
import type { StepContext } from "../../../verb.ts";
import { must, stop } from "../desk.ts";
import { postmasterIn, readCheckpoint } from "../on-host/control.ts";
import type { Means } from "../settings.ts";
import { alterNote, type Of, readNote } from "./note.ts";
import { type MadePlace, placeOf } from "./place.ts";
import { saidUsed } from "./said-used.ts";
import { firstOfUsers, usedIn } from "./used.ts";

const notReached = new Set(["postgresql.no-server", "postgresql.not-reached"]);

/** Ends the step where somebody's things are there, and where that is not known. */
export async function mustBeUnused(context: StepContext, means: Means, whose: Of): Promise<void> {
  const place = placeOf(means);
  if ((await postmasterIn(context.host, place.data)) === 0) return mustBeUnusedAtRest(whose, place);
  if (!(await isSaidUnused(context, means))) stopUnasked(place);
}

/** Ends the step where somebody's things are there. False where it could not be asked: it is at rest, or lets nobody in. */
export async function isSaidUnused(context: StepContext, means: Means): Promise<boolean> {
  const place = placeOf(means);
  await mustHaveNoFiles(context, place);
  if ((await postmasterIn(context.host, place.data)) === 0) return false;
  try {
    stopUsed(place, await saidUsed(context, means, place));
    return true;
  } catch (error) {
    if (error instanceof FailureError && notReached.has(error.failure.code)) return false;
    throw error;
  }
}

/** After its stop: what it has said holds for as long as it does not run. */
export async function noteUnused(whose: Of, place: MadePlace): Promise<void> {
  const { location } = must(await readCheckpoint(whose.host, place));
  await alterNote(whose, { unusedAt: location });
}

export async function mustBeUnusedAtRest(whose: Of, place: MadePlace): Promise<void> {
  await mustHaveNoFiles(whose, place);
  const { systemId = null, unusedAt = null } = (await readNote(whose)) ?? {};
  // initdb has not ended, or a removal that was cut short has begun: there is no server that anybody could use
  if (systemId === null || !(await isControlThere(whose, place))) return;
  const { state, location, nextOid } = must(await readCheckpoint(whose.host, place));
  if (state === "shut down" && (location === unusedAt || nextOid < firstOfUsers)) return;
  stopUnasked(place);
}

async function isControlThere({ host }: Pick<Of, "host">, { data }: MadePlace): Promise<boolean> {
  const found = await stat(host.path(join(data, "global/pg_control"))).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    },
  );
  return found !== undefined;
}

async function mustHaveNoFiles({ host }: Pick<Of, "host">, place: MadePlace): Promise<void> {
  stopUsed(place, await usedIn(host, place.data));
}

function stopUsed({ data }: MadePlace, found: readonly string[]): void {
  if (found.length > 0) stop("postgresql.made-server-used", { data, found: found.slice(0, 5).join(", ") });
}

function stopUnasked({ data, unit }: MadePlace): never {
  stop("postgresql.made-server-not-asked", { data, unit });
}

/**
 * Whether a server that is kept closed was opened meanwhile, also where it is closed again: who lets clients in changes the
 * database's row of pg_database, and no row comes back to the transaction that the fence has left in it.
 */
import { done } from "../../outcome.ts";
import { type StepContext, type Verb, verb } from "../../verb.ts";
import { ask, of, ownerOf, probeOf, resultOf, stop } from "./desk.ts";
import { takesClients } from "./facts.ts";
import { databaseRows, fenceMark } from "./fence.ts";
import type { Means } from "./settings.ts";

export function fenceOpeningVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.fence-openings",
      class: "observe",
      args: of,
      run: (context, args) =>
        resultOf(async () => {
          const opened = await openedSince(context, means, ownerOf(context, args));
          return done({ value: String(opened.length), databases: opened.join(", ") });
        }),
    }),
    verb({
      name: "postgresql.note-fence-openings",
      class: "reversible",
      args: of,
      run: (context, args) =>
        resultOf(async () => {
          const mark = fenceMark(context, ownerOf(context, args));
          const known = await mark.read();
          const rows = await ask(context, means, databaseRows);
          // what was told once is not told again by the next watch
          if (known !== undefined) await mark.write({ ...known, rows });
          return done({});
        }),
      probe: (context, args) => probeOf(() => changedSince(context, means, ownerOf(context, args))),
    }),
  ];
}

/** Databases that let clients in now, or whose row is not the one that the fence has left. */
async function openedSince(context: StepContext, means: Means, rollout: string): Promise<readonly string[]> {
  const [changed, open] = [
    await changedSince(context, means, rollout),
    await ask(context, means, (sql) =>
      sql.rows(`SELECT datname FROM pg_database WHERE ${takesClients} AND datconnlimit <> 0`),
    ),
  ];
  return [...new Set([...open.map((row) => row["datname"] ?? ""), ...changed])].sort();
}

async function changedSince(context: StepContext, means: Means, rollout: string): Promise<readonly string[]> {
  const known = await fenceMark(context, rollout).read();
  if (known === undefined) stop("postgresql.fence-not-standing", { found: "nothing tells how it was set" });
  const now = await ask(context, means, databaseRows);
  return Object.entries(known.rows ?? {}).flatMap(([database, row]) =>
    now[database] === undefined || now[database] === row ? [] : [database],
  );
}

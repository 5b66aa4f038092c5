/** Tablespaces of the old server on the new one, each in the folder that the agent's own file names for it. */
import { z } from "zod";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { literal, databases as names, quoted } from "../../databases.ts";
import { ask, must, probeOf, resultOf, stop } from "../desk.ts";
import type { Means } from "../settings.ts";
import { takeFolder } from "./folders.ts";
import { readNote } from "./note.ts";
import { placeOf, readAccount } from "./place.ts";

const args = z.strictObject({ tablespaces: names });

export function tablespaceVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.make-tablespace-folders",
      class: "reversible",
      args,
      run: (context, given) => resultOf(() => makeFolders(context, means, given.tablespaces)),
      probe: (context, given) =>
        probeOf(async () => {
          const taken = (await readNote(context))?.folders.map(({ path }) => path) ?? [];
          return foldersOf(means, given.tablespaces).filter((folder) => !taken.includes(folder));
        }),
    }),
    verb({
      name: "postgresql.make-tablespaces",
      class: "reversible",
      args,
      run: (context, given) => resultOf(() => make(context, means, given.tablespaces)),
      probe: (context, given) => probeOf(() => missing(context, means, given.tablespaces)),
    }),
  ];
}

function folderOf(means: Means, name: string): string {
  const { tablespaces } = placeOf(means);
  const folder = Object.hasOwn(tablespaces, name) ? tablespaces[name] : undefined;
  return folder ?? stop("postgresql.tablespace-not-named", { name });
}

function foldersOf(means: Means, wanted: readonly string[]): readonly string[] {
  return wanted.map((name) => folderOf(means, name));
}

async function makeFolders(
  context: StepContext,
  means: Means,
  wanted: readonly string[],
): Promise<StepResult> {
  const account = must(await readAccount(context.host, placeOf(means).account));
  const folders = foldersOf(means, wanted);
  for (const folder of folders) await takeFolder(context, folder, { ...account, mode: 0o700 });
  return done({ folders: folders.join(", ") });
}

async function missing(
  context: StepContext,
  means: Means,
  wanted: readonly string[],
): Promise<readonly string[]> {
  const rows = await ask(context, means, (sql) => sql.rows("SELECT spcname FROM pg_tablespace"));
  const there = rows.map((row) => row["spcname"] ?? "");
  return wanted.filter((name) => !there.includes(name));
}

async function make(context: StepContext, means: Means, wanted: readonly string[]): Promise<StepResult> {
  for (const name of await missing(context, means, wanted))
    await ask(context, means, (sql) =>
      sql.run(`CREATE TABLESPACE ${quoted(name)} LOCATION ${literal(folderOf(means, name))}`),
    );
  const left = await missing(context, means, wanted);
  if (left.length > 0) stop("postgresql.tablespaces-missing", { names: left.join(", ") });
  return done({ tablespaces: wanted.join(", ") });
}

/** The schemas of both sides, held against each other: what was changed on one of them alone since the copy began. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { makeFolderDurably } from "../../host/file-runner.ts";
import { markFolder } from "../../host/marks.ts";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { databases } from "../databases.ts";
import { ask, must, resultOf, stop } from "./desk.ts";
import { schemaShape } from "./schema-shape.ts";
import type { Means } from "./settings.ts";

const shapes = z.object({ format: z.literal(1), databases: z.record(z.string(), z.array(z.string())) });
const args = z.strictObject({ databases });

export function driftVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.describe-schema",
      class: "observe",
      args,
      run: (context, given) => resultOf(() => describe(context, means, given.databases)),
    }),
    verb({
      name: "postgresql.compare-schema",
      class: "observe",
      args,
      run: (context, given) => resultOf(() => compare(context, means, given.databases)),
    }),
  ];
}

async function describe(context: StepContext, means: Means, names: readonly string[]): Promise<StepResult> {
  const found: Record<string, string[]> = {};
  for (const database of names) found[database] = [...(await ask(context, means, schemaShape, { database }))];
  const folder = markFolder(context);
  await makeFolderDurably(folder);
  const file = join(folder, "shapes.json");
  await writeFile(file, JSON.stringify({ format: 1, databases: found } satisfies z.infer<typeof shapes>));
  must(await context.parcels.send("shapes", file));
  return done({ objects: String(Object.values(found).reduce((sum, lines) => sum + lines.length, 0)) });
}

async function compare(context: StepContext, means: Means, names: readonly string[]): Promise<StepResult> {
  const sent = must(await context.parcels.find("shapes"));
  if (sent === undefined) return stop("postgresql.parcel-missing", { what: "shapes" });
  const path = must(await context.parcels.fetch(sent.digest));
  const there = shapes.parse(JSON.parse(await readFile(path, "utf8"))).databases;
  for (const database of names) {
    const here = await ask(context, means, schemaShape, { database });
    const differences = differencesOf(there[database] ?? [], here);
    if (differences.length > 0)
      stop("postgresql.schemas-differ", { database, found: differences.slice(0, 10).join("; ") });
  }
  return done();
}

export function differencesOf(there: readonly string[], here: readonly string[]): readonly string[] {
  const [old, young] = [new Set(there), new Set(here)];
  return [
    ...there.filter((line) => !young.has(line)).map((line) => `only on the old server: ${line}`),
    ...here.filter((line) => !old.has(line)).map((line) => `only on the new server: ${line}`),
  ];
}

/**
 * Slots of a move under Patroni, which drops on its leader whatever slot it was not told of. Before the first is made, Patroni is
 * told to let those of the moved databases alone; those that are to live over a failover are declared once they are there: one that
 * is declared before is made by Patroni itself. Undone before the slots go, or Patroni would make them anew.
 */
import type { z } from "zod";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { of, ofDatabases, ofDirection, ownerOf, probeOf, resultOf, stop } from "../desk.ts";
import { publicationName, subscriptionName } from "../names.ts";
import type { Means } from "../settings.ts";
import { type Change, declaring, ignoring, releasing, undeclaring, wordsOf } from "./configuration.ts";
import { configurationNow, named, runWith } from "./patronictl.ts";

type Given = z.infer<typeof ofDirection>;
/** What is still to be changed of the configuration as it is. */
type Missing = (parsed: unknown) => readonly Change[];

export function keepingVerbs(means: Means): readonly Verb[] {
  return [
    changing(means, "postgresql.ignore-slots", ofDatabases, (context, given) => {
      const by = publicationName(ownerOf(context, given), "forward");
      return (parsed) => ignoring(parsed, by, given.databases);
    }),
    changing(means, "postgresql.declare-slots", ofDirection, (context, given) => {
      const slots = namesOf(context, given).map((name, index) => [name, given.databases[index] ?? ""]);
      return (parsed) => declaring(parsed, Object.fromEntries(slots) as Record<string, string>);
    }),
    changing(means, "postgresql.undeclare-slots", ofDirection, (context, given) => {
      const names = namesOf(context, given);
      return (parsed) => undeclaring(parsed, names);
    }),
    changing(means, "postgresql.release-slots", of, (context, given) => {
      const owner = ownerOf(context, given);
      return (parsed) => releasing(parsed, owner);
    }),
  ];
}

/** Before a slot is given up: what is still declared would be made anew. Nothing without Patroni. */
export async function stopKeeping(context: StepContext, means: Means, owner: string): Promise<void> {
  if (means.settings.patroni === undefined) return;
  await change(context, means, (parsed) => releasing(parsed, owner));
}

function namesOf(context: StepContext, given: Given): readonly string[] {
  const owner = ownerOf(context, given);
  return given.databases.map((database) => subscriptionName(owner, given.direction, database));
}

function changing<Args>(
  means: Means,
  name: string,
  args: z.ZodType<Args>,
  missingOf: (context: StepContext, args: Args) => Missing,
): Verb {
  return verb({
    name,
    class: "reversible",
    args,
    run: (context: StepContext, given: Args) =>
      resultOf(() => change(context, means, missingOf(context, given))),
    probe: (context: StepContext, given: Args) =>
      probeOf(async () => {
        const parsed = await configurationNow(context.host, named(means));
        return missingOf(context, given)(parsed).map(([path]) => path);
      }),
  });
}

/** One edit, against the configuration as it is now; Patroni refuses it where another has been faster. */
async function change(context: StepContext, means: Means, missing: Missing): Promise<StepResult> {
  const settings = named(means);
  const changes = missing(await configurationNow(context.host, settings));
  if (changes.length === 0) return done({ changed: "nothing" });
  await runWith(context, settings, "edit-config", "--force", ...wordsOf(changes));
  const left = missing(await configurationNow(context.host, settings));
  const paths = (all: readonly Change[]) => all.map(([path]) => path).join(", ");
  if (left.length > 0) stop("postgresql.patroni-not-taken", { what: paths(left) });
  return done({ changed: paths(changes) });
}

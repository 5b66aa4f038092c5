/** Roles of the old server on the new one. Each error is told; those that were there before are left as they are. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { markOf } from "../../host/marks.ts";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { quoted } from "../databases.ts";
import { ask, must, of, ownerOf, probeOf, resultOf, stop } from "./desk.ts";
import { takenOver } from "./roles-script.ts";
import type { Means } from "./settings.ts";

const made = z.object({ roles: z.array(z.string()), isWhole: z.boolean() });

export function roleVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.load-roles",
      class: "reversible",
      args: of,
      run: (context) => resultOf(() => load(context, means)),
      probe: (context) =>
        probeOf(async () =>
          (await markFor(context, context.rollout).read())?.isWhole === true ? [] : ["roles"],
        ),
    }),
    verb({
      name: "postgresql.drop-roles",
      class: "reversible",
      args: of,
      run: (context, args) => resultOf(() => drop(context, means, ownerOf(context, args))),
      probe: (context, args) =>
        probeOf(async () => (await markFor(context, ownerOf(context, args)).read())?.roles ?? []),
    }),
  ];
}

function markFor(context: StepContext, rollout: string) {
  return markOf({ host: context.host, rollout }, "roles", made);
}

async function load(context: StepContext, means: Means): Promise<StepResult> {
  const sent = must(await context.parcels.find("roles"));
  if (sent === undefined) return stop("postgresql.parcel-missing", { what: "roles" });
  const text = await readFile(must(await context.parcels.fetch(sent.digest)), "utf8");
  const existing = await rolesHere(context, means);
  const mark = markFor(context, context.rollout);
  const known = (await mark.read())?.roles ?? [];
  const script = takenOver(text, existing);
  const roles = [...new Set([...known, ...script.made])];
  await mark.write({ roles, isWhole: false });
  // the server's own words about a statement of this script would repeat it: a verifier is in it
  await ask(
    context,
    means,
    async (sql) => {
      for (const each of ["BEGIN", ...script.statements, "COMMIT"]) await sql.run(each);
    },
    { hasSecrets: true },
  );
  await mark.write({ roles, isWhole: true });
  const kept = script.kept.filter((name) => !known.includes(name));
  return done({
    made: String(roles.length),
    ...(kept.length === 0
      ? {}
      : {
          "told.roles that the new server had before, left as they are there": kept.slice(0, 50).join(", "),
        }),
  });
}

async function rolesHere(context: StepContext, means: Means): Promise<readonly string[]> {
  const rows = await ask(context, means, (sql) => sql.rows("SELECT rolname FROM pg_roles"));
  return rows.map((row) => row["rolname"] ?? "");
}

/** Those that this rollout has made. Their databases are gone by then; one that still owns something is told and stays. */
async function drop(context: StepContext, means: Means, rollout: string): Promise<StepResult> {
  const mark = markFor(context, rollout);
  const roles = (await mark.read())?.roles ?? [];
  const here = await rolesHere(context, means);
  for (const role of roles.filter((name) => here.includes(name)).toReversed())
    await ask(context, means, (sql) => sql.run(`DROP ROLE ${quoted(role)}`));
  await mark.remove();
  return done({ roles: String(roles.length) });
}

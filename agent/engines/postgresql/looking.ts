/** Verbs that only look: that it is the server of the plan, its version, and what is left of a rollout. */
import { z } from "zod";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { databases } from "../databases.ts";
import { ask, must, of, ownerOf, resultOf, stop, subscriber } from "./desk.ts";
import { readServer } from "./facts.ts";
import { leftOversOf } from "./left-overs.ts";
import type { Means } from "./settings.ts";

export function lookingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.prove-server",
      class: "observe",
      args: z.strictObject({ systemId: z.string().regex(/^\d+$/), version: z.string() }),
      run: (context, args) => resultOf(() => proveServer(context, means, args)),
    }),
    verb({
      name: "postgresql.prove-databases",
      class: "observe",
      args: z.strictObject({ databases }),
      run: (context, args) => resultOf(() => proveDatabases(context, means, args.databases)),
    }),
    verb({
      name: "postgresql.scan-left-overs",
      class: "observe",
      args: of.extend({ subscriber }),
      run: (context, args) =>
        resultOf(async () => {
          const whose = { rollout: ownerOf(context, args), subscriber: args.subscriber };
          const left = await leftOversOf(context, means, whose);
          if (left.length > 0) stop("postgresql.left-overs", { found: left.slice(0, 20).join(", ") });
          return done({ found: "nothing" });
        }),
    }),
  ];
}

/** A cluster that was initialised anew, a standby, or another server on the port is not the one that was planned with. */
async function proveServer(
  context: StepContext,
  means: Means,
  { systemId, version }: { readonly systemId: string; readonly version: string },
): Promise<StepResult> {
  const server = must(await ask(context, means, readServer));
  const facts = { systemId: server.systemId, version: server.version };
  if (server.systemId !== systemId) stop("postgresql.another-server", { ...facts, wanted: systemId });
  if (server.isStandby) stop("postgresql.is-standby", facts);
  if (!server.isSuperuser) stop("postgresql.no-superuser", facts);
  const major = String(Math.floor(server.versionNum / 10_000));
  if (major !== version) stop("postgresql.version-differs", { ...facts, wanted: version });
  return done(facts);
}

/** Closed with all the others at the cut-over, a database that came meanwhile would be served by nobody. */
async function proveDatabases(
  context: StepContext,
  means: Means,
  there: readonly string[],
): Promise<StepResult> {
  const rows = await ask(context, means, (sql) =>
    sql.rows("SELECT datname FROM pg_database WHERE NOT datistemplate AND datconnlimit >= -1 ORDER BY 1"),
  );
  const found = rows.map((row) => row["datname"] ?? "").filter((name) => !there.includes(name));
  if (found.length > 0) stop("postgresql.database-new", { databases: found.join(", ") });
  return done({ databases: String(rows.length) });
}

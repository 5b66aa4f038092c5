/** Looks at an upgrade in place: the place itself, the server that serves, its contents beside those before, what is left to do by hand. */
import { z } from "zod";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { databases } from "../../databases.ts";
import { compareWith } from "../comparing.ts";
import { keptContents } from "../contents-kept.ts";
import { ask, inEach, must, ofDatabases, resultOf, stop } from "../desk.ts";
import { readServer } from "../facts.ts";
import { unfence } from "../fence.ts";
import { keepContents } from "../measuring.ts";
import { programVersion } from "../on-host/programs.ts";
import type { Means } from "../settings.ts";
import { alterNote, mustRead } from "./note.ts";
import { placeOf } from "./place.ts";

const withinMs = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number);

export function provingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.prove-place",
      class: "observe",
      args: z.strictObject({ from: z.string(), to: z.string() }),
      run: (context, args) => resultOf(() => provePlace(context, means, args)),
    }),
    verb({
      name: "postgresql.prove-successor",
      class: "observe",
      args: z.strictObject({ version: z.string() }),
      run: (context, args) => resultOf(() => proveSuccessor(context, means, args.version)),
    }),
    verb({
      name: "postgresql.measure-own",
      class: "observe",
      args: z.strictObject({ databases, withinMs }),
      run: (context, args) => resultOf(async () => done((await keepContents(context, means, args)).told)),
    }),
    verb({
      name: "postgresql.compare-own",
      class: "observe",
      args: ofDatabases,
      run: (context, args) =>
        resultOf(async () => {
          // opened by an earlier try, it has rows of its own by now
          if ((await mustRead(context)).isOpened) return done({ found: "opened before; compared then" });
          return compareWith(context, means, { names: args.databases, other: await keptContents(context) });
        }),
    }),
    verb({
      name: "postgresql.open-successor",
      class: "irreversible",
      args: z.strictObject({}),
      run: (context) =>
        resultOf(async () => {
          await alterNote(context, { isOpened: true });
          return unfence(context, means, context.rollout);
        }),
      // once more does no harm: what stood before is forgotten when it is put back
      probe: () => Promise.resolve({ state: "not-done" }),
    }),
    verb({
      name: "postgresql.list-extension-updates",
      class: "observe",
      args: ofDatabases,
      run: (context, args) => resultOf(() => listUpdates(context, means, args.databases)),
    }),
  ];
}

/** That the agent's file speaks of the server that serves, and both versions are what the plan says. */
async function provePlace(
  context: StepContext,
  means: Means,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<StepResult> {
  const place = placeOf(means);
  const server = must(await ask(context, means, readServer));
  if (server.dataDirectory !== place.old.data)
    stop("postgresql.another-folder", { found: server.dataDirectory, data: place.old.data });
  const [old, young] = [
    must(await programVersion(context.host, place.old.bin)),
    must(await programVersion(context.host, place.new.bin)),
  ];
  if (String(old.major) !== from) stop("postgresql.version-differs", { version: old.version, wanted: from });
  if (String(young.major) !== to) stop("postgresql.version-differs", { version: young.version, wanted: to });
  return done({ from: old.version, to: young.version });
}

/** What answers is the folder that `pg_upgrade` has filled: by its identifier, which `initdb` has given. */
async function proveSuccessor(context: StepContext, means: Means, version: string): Promise<StepResult> {
  const place = placeOf(means);
  const { newSystemId } = await mustRead(context);
  const server = must(await ask(context, means, readServer));
  const facts = { systemId: server.systemId, version: server.version };
  if (server.systemId !== newSystemId)
    stop("postgresql.another-server", { ...facts, wanted: newSystemId ?? "" });
  if (server.dataDirectory !== place.new.data)
    stop("postgresql.another-folder", { found: server.dataDirectory, data: place.new.data });
  if (server.isStandby) stop("postgresql.is-standby", facts);
  if (String(Math.floor(server.versionNum / 10_000)) !== version)
    stop("postgresql.version-differs", { ...facts, wanted: version });
  return done(facts);
}

/** `pg_upgrade` carries an extension at its old version; its update is its owner's to run. */
async function listUpdates(
  context: StepContext,
  means: Means,
  names: readonly string[],
): Promise<StepResult> {
  const found = await inEach(context, means, names, async (sql) => {
    const rows = await sql.rows(`
      SELECT quote_ident(extname) AS name, extversion AS has, a.default_version AS now
        FROM pg_extension JOIN pg_available_extensions a ON a.name = extname
       WHERE a.default_version IS DISTINCT FROM extversion ORDER BY 1`);
    return rows.map(
      ({ name, has, now }) => `${sql.database}: ALTER EXTENSION ${name} UPDATE (${has} to ${now})`,
    );
  });
  const all = found.flat();
  return done({ "told.extensions to update": all.slice(0, 50).join("; ") || "none" });
}

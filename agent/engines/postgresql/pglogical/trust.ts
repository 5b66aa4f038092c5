/**
 * Minor versions of 2026 and later load no output plugin that `output_plugin_libraries` does not list. Where that setting is there, and
 * it is looked for by its presence alone, pglogical's own is added to it, and what stood before is put back at the end.
 */
import { z } from "zod";
import { markOf } from "../../../host/marks.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { literal } from "../../databases.ts";
import { ask, of, ownerOf, probeOf, resultOf, stop } from "../desk.ts";
import type { Means } from "../settings.ts";
import type { Sql } from "../sql.ts";

const plugin = "pglogical_output";
const setting = "output_plugin_libraries";

/** As postgresql.auto.conf has it; null where it says nothing. */
const before = z.object({ automatic: z.string().nullable() });

export function trustVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.pglogical-trust-plugin",
      class: "reversible",
      args: of,
      run: (context, given) => resultOf(() => trust(context, means, ownerOf(context, given))),
      probe: (context) =>
        probeOf(async () => {
          const listed = await ask(context, means, librariesIn);
          return listed === undefined || listed.includes(plugin) ? [] : [plugin];
        }),
    }),
    verb({
      name: "postgresql.pglogical-distrust-plugin",
      class: "reversible",
      args: of,
      run: (context, given) => resultOf(() => distrust(context, means, ownerOf(context, given))),
      probe: (context, given) =>
        probeOf(async () =>
          (await markFor(context, ownerOf(context, given)).read()) === undefined ? [] : [plugin],
        ),
    }),
  ];
}

function markFor({ host }: StepContext, rollout: string) {
  return markOf({ host, rollout }, "output-plugins", before);
}

/** Undefined where this server knows no such setting. */
async function librariesIn(sql: Sql): Promise<readonly string[] | undefined> {
  const [row] = await sql.rows("SELECT setting FROM pg_settings WHERE name = $1", [setting]);
  return row === undefined ? undefined : listedIn(row["setting"] ?? "");
}

function listedIn(list: string): readonly string[] {
  const words = list.split(",").map((each) => each.trim().replace(/^"(.*)"$/, "$1"));
  return words.filter((each) => each !== "");
}

async function trust(context: StepContext, means: Means, rollout: string): Promise<StepResult> {
  const mark = markFor(context, rollout);
  return ask(context, means, async (sql) => {
    const listed = await librariesIn(sql);
    if (listed === undefined) return done({ found: "no such setting" });
    if (listed.includes(plugin)) return done({ found: "listed already" });
    if ((await mark.read()) === undefined) {
      const [row] = await sql.rows(
        `SELECT setting FROM pg_file_settings WHERE name = $1 AND sourcefile LIKE '%postgresql.auto.conf'
          ORDER BY seqno DESC LIMIT 1`,
        [setting],
      );
      await mark.write({ automatic: row?.["setting"] ?? null });
    }
    await write(context, sql, [...listed, plugin]);
    const now = await heard(context, sql);
    if (!now.includes(plugin)) stop("postgresql.pglogical-not-trusted", { found: now.join(", ") });
    return done({ [setting]: now.join(", ") });
  });
}

/** Each name by itself: a list in one word would be one name with commas in it. */
async function write(context: StepContext, sql: Sql, names: readonly string[] | undefined): Promise<void> {
  await sql.run(
    names === undefined
      ? `ALTER SYSTEM RESET ${setting}`
      : `ALTER SYSTEM SET ${setting} = ${names.map(literal).join(", ")}`,
  );
  await sql.rows("SELECT pg_reload_conf()");
  await context.host.clock.sleep(100, context.signal).catch(() => undefined);
}

const reloadMs = 5_000;

/** A reload reaches this session's process when it comes to it. */
async function heard({ host: { clock }, signal }: StepContext, sql: Sql): Promise<readonly string[]> {
  for (const endMs = clock.monotonicMs() + reloadMs; ; ) {
    const found = (await librariesIn(sql)) ?? [];
    if (found.includes(plugin) || clock.monotonicMs() > endMs || signal.aborted) return found;
    await clock.sleep(100, signal).catch(() => undefined);
  }
}

async function distrust(context: StepContext, means: Means, rollout: string): Promise<StepResult> {
  const mark = markFor(context, rollout);
  const known = await mark.read();
  if (known === undefined) return done({ found: "not changed by this rollout" });
  return ask(context, means, async (sql) => {
    await write(context, sql, known.automatic === null ? undefined : listedIn(known.automatic));
    await mark.remove();
    return done();
  });
}

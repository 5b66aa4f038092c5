/**
 * Where settings stand that are to be in force after the next restart: postgresql.auto.conf, by the server's own statement; under
 * Patroni its dynamic configuration, since Patroni gives the server some of them on its command line.
 */
import type { StepContext } from "../../../verb.ts";
import { literal, quoted } from "../../databases.ts";
import { ask } from "../desk.ts";
import { wordsOf } from "../patroni/configuration.ts";
import { configurationNow, named, runWith } from "../patroni/patronictl.ts";
import { readConfiguration } from "../patroni/reading.ts";
import type { Means } from "../settings.ts";

/** Null: nothing is said of it there. */
export type Written = Readonly<Record<string, string | null>>;

export async function writtenNow(
  context: StepContext,
  means: Means,
  names: readonly string[],
): Promise<Written> {
  const found =
    means.settings.patroni === undefined ? await inFile(context, means) : await inPatroni(context, means);
  return Object.fromEntries(names.map((name) => [name, found[name] ?? null]));
}

async function inPatroni({ host }: StepContext, means: Means): Promise<Readonly<Record<string, string>>> {
  return readConfiguration(await configurationNow(host, named(means))).parameters;
}

async function inFile(context: StepContext, means: Means): Promise<Readonly<Record<string, string>>> {
  const rows = await ask(context, means, (sql) =>
    sql.rows(
      "SELECT name, setting FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf' ORDER BY seqno",
    ),
  );
  return Object.fromEntries(rows.map((row) => [row["name"] ?? "", row["setting"] ?? ""]));
}

export async function write(context: StepContext, means: Means, values: Written): Promise<void> {
  if (means.settings.patroni !== undefined) {
    const changes = Object.entries(values).map(
      ([name, value]) => [`postgresql.parameters.${name}`, value] as const,
    );
    await runWith(context, named(means), "edit-config", "--force", ...wordsOf(changes));
    return;
  }
  await ask(context, means, async (sql) => {
    for (const [name, value] of Object.entries(values))
      await sql.run(
        value === null
          ? `ALTER SYSTEM RESET ${quoted(name)}`
          : `ALTER SYSTEM SET ${quoted(name)} = ${listOr(name, value)}`,
      );
  });
}

/** A list in one pair of quotes would be the name of one library. */
function listOr(name: string, value: string): string {
  if (name !== "shared_preload_libraries") return literal(value);
  return value
    .split(",")
    .map((each) => literal(each.trim()))
    .join(", ");
}

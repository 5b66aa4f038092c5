/** The two sides of a move: the source, whose input it is, and the target. */
import { known } from "#proto/common/measured.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { fullOf } from "./facts.ts";
import { settingsOf } from "./settings.ts";

/** The target, seen as an input of its own. */
export function targetOf({ into, wish, nowMs }: PlaybookInput): PlaybookInput | undefined {
  return into === undefined ? undefined : { ...into, wish, nowMs };
}

/** Those that go over: by the cluster's entry, or all that clients may connect to; the server's own only where it is used. */
export function databasesOf({ cluster, reports }: PlaybookInput): readonly string[] | undefined {
  const settings = settingsOf(cluster);
  if (!settings.ok) return undefined;
  if (settings.value.databases !== undefined) return settings.value.databases;
  const found = known(fullOf(reports[cluster.nodes[0]?.name ?? ""])?.databases);
  return found
    ?.filter(({ name, userTables }) => name !== "postgres" || userTables > 0)
    .map(({ name }) => name)
    .sort();
}

/** How long a node is away, by the limits of what is done meanwhile. */
import { known } from "#proto/common/measured.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { fullOf, nodeNames } from "./facts.ts";
import { settingsOf } from "./settings.ts";

/** Stop, package installation, start and rejoin of one node, generously. */
const changeMs = 15 * 60_000;
/** What an ordinary disk gives to tar, carefully. */
const archiveBytesPerSecond = 50 * 1024 ** 2;

/** With its archive where one is made. */
export function outageMs({ cluster, reports }: Pick<PlaybookInput, "cluster" | "reports">): number {
  const settings = settingsOf(cluster);
  if (!settings.ok || !settings.value.archiveData) return changeMs;
  const bytes = nodeNames(cluster).map((name) => known(fullOf(reports[name])?.archive)?.dataBytes ?? 0);
  return changeMs + Math.ceil((Math.max(0, ...bytes) * 1_000) / archiveBytesPerSecond);
}

/**
 * Where the database that runs was told to keep its data. An archive is of the folder that the configuration names: a
 * process with another store, or with several, would be archived in part or not at all.
 */
import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";
import { onHostPath, wordsOf } from "./container-words.ts";
import type { Inspected } from "./docker.ts";
import { hostPath } from "./files.ts";
import type { Installation } from "./installation.ts";
import { readStart } from "./start.ts";
import { storesIn } from "./store-words.ts";

/** As paths of the host; none where nothing runs. Refused: `kwdb.start-unreadable`. */
export async function storesOfProcess(host: Host, pid: number): Promise<Outcome<readonly string[]>> {
  if (pid === 0) return succeed([]);
  const start = await readStart(pid);
  if (!start.ok) return start;
  const { argv, cwd } = start.value;
  return succeed(storesIn(argv).map((path) => hostPath(host, resolve(cwd, path))));
}

/** As paths of the host; none where it does not run. Refused: `kwdb.container-data-inside`. */
export function storesOfContainer(container: Inspected | undefined): Outcome<readonly string[]> {
  if (container?.State.Running !== true) return succeed([]);
  const found = storesIn(wordsOf(container)).map((path) => onHostPath(container, path));
  const inside = found.find(({ ok }) => !ok);
  return inside === undefined || inside.ok
    ? succeed(found.flatMap((path) => (path.ok ? [path.value] : [])))
    : inside;
}

/** Refused: `kwdb.store-elsewhere`; a database that is down says nothing against it. */
export async function onlyStore(here: Installation, root: string): Promise<Outcome<string>> {
  const stores = await here.stores();
  if (!stores.ok) return stores;
  const [only, ...more] = stores.value;
  const real = (path: string) => realpath(here.host.path(path)).catch(() => path);
  const isThat = only === undefined || (more.length === 0 && (await real(only)) === (await real(root)));
  return isThat ? succeed(root) : fail("kwdb.store-elsewhere", { running: stores.value.join(", "), root });
}

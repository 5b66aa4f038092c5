/** Gives the hosts of one cluster a PostgreSQL to keep their rows in; before the cluster is started. */
import { appendFileSync } from "node:fs";
import type { DemoHost } from "./create-host.ts";

/** `prefix` keeps apart the clusters that share a server. */
export function giveRows(hosts: readonly DemoHost[], url: string, prefix: string): void {
  for (const host of hosts)
    appendFileSync(host.path("/etc/kwdb-double/host"), `rows=${url}\nrows_prefix=${prefix}\n`);
}

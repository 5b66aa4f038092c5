/** What the hosts themselves wrote down of when their database ran. */
import { readFile, stat } from "node:fs/promises";
import type { DemoHost } from "#test/doubles/host/create-host.ts";

export interface Outage {
  readonly node: string;
  readonly fromMs: number;
  /** Infinity: it has not come back. */
  readonly toMs: number;
}

/** Every stretch in which a host's database did not run, from its first start on, oldest first. */
export async function outagesOf(hosts: readonly DemoHost[]): Promise<readonly Outage[]> {
  const found = await Promise.all(hosts.map(outages));
  return found.flat().sort((a, b) => a.fromMs - b.fromMs);
}

/** Pairs of outages of different nodes that overlap: there must be none. */
export function overlaps(all: readonly Outage[]): readonly string[] {
  return all.flatMap((one, index) =>
    all
      .slice(index + 1)
      .filter((other) => other.node !== one.node && other.fromMs < one.toMs && one.fromMs < other.toMs)
      .map((other) => `${one.node} and ${other.node} at ${new Date(other.fromMs).toISOString()}`),
  );
}

/** Nodes that ran between the first host's change and the last one's: there must be none where versions never serve mixed. */
export async function mixedOf(hosts: readonly DemoHost[]): Promise<readonly string[]> {
  const written = await Promise.all(
    hosts.map(async (host) => (await stat(host.path("/etc/kaiwudb/info/.version"))).mtimeMs),
  );
  const [first, last] = [Math.min(...written), Math.max(...written)];
  const whole = (await outagesOf(hosts)).filter(({ fromMs, toMs }) => fromMs < first && last < toMs);
  const down = new Set(whole.map(({ node }) => node));
  return hosts.map(({ options: { name } }) => name).filter((name) => !down.has(name));
}

async function outages(host: DemoHost): Promise<readonly Outage[]> {
  const text = await readFile(host.path("/run/systemd/kaiwudb.history"), "utf8");
  const lines = text.trim().split("\n");
  const found: Outage[] = [];
  let endedMs: number | undefined;
  for (const line of lines) {
    const [time = "", what = ""] = line.split(" ");
    if (what === "ended") endedMs = Number(time);
    else if (endedMs !== undefined) {
      found.push({ node: host.options.name, fromMs: endedMs, toMs: Number(time) });
      endedMs = undefined;
    }
  }
  const { name } = host.options;
  return endedMs === undefined ? found : [...found, { node: name, fromMs: endedMs, toMs: Infinity }];
}

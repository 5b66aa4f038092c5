// What the hosts themselves wrote down of an upgrade: their journals and the times of their files. Nothing here is
// told by the product.
import type { KwdbNode } from "./node.ts";

export interface Outage {
  readonly node: string;
  /** systemd began to stop the service. */
  readonly from: Date;
  /** The database said that it serves again; null while it does not. */
  readonly to: Date | null;
}

/** systemd's own names of "Stopping …" and of a unit that ended by failure, in every language. */
const stopping = "de5b426a63be47a7b6ac3eaac82e2f6f";
const failed = "d9b373ed55a64feb8242e02dbe79a49c";
const starting = "7d4958e842da4a758f6c1cdc7b36dcc5";
const serves = /restarted pre-existing node|initialized new/;

/** Every time that the node's service was down since `since`, by the host's journal. */
export async function outagesOf({ host }: KwdbNode, since: Date): Promise<readonly Outage[]> {
  const outages: Outage[] = [];
  let from: Date | null = null;
  for (const { at, message, fields } of await host.journal({ unit: "kaiwudb.service", since })) {
    const goes = fields["MESSAGE_ID"] === stopping || fields["MESSAGE_ID"] === failed;
    if (goes && from === null) from = at;
    if (from === null || !serves.test(message)) continue;
    outages.push({ node: host.name, from, to: at });
    from = null;
  }
  return from === null ? outages : [...outages, { node: host.name, from, to: null }];
}

/** Pairs of outages of different nodes that have a moment in common. */
export function overlaps(outages: readonly Outage[]): readonly (readonly [Outage, Outage])[] {
  const end = ({ to }: Outage) => to?.getTime() ?? Number.POSITIVE_INFINITY;
  return outages.flatMap((left, at) =>
    outages
      .slice(at + 1)
      .filter(
        (right) =>
          left.node !== right.node && left.from.getTime() < end(right) && right.from.getTime() < end(left),
      )
      .map((right) => [left, right] as const),
  );
}

/** When the installed `.version` was written, by the host's file system. */
export async function versionWrittenAt({ host }: KwdbNode): Promise<Date> {
  const seconds = await host.must(["stat", "--format=%.Y", "/etc/kaiwudb/info/.version"]);
  return new Date(Number(seconds) * 1_000);
}

/** When systemd began to start `unit` (a part of its name), each time, by the host's journal. */
export async function startsOf({ host }: KwdbNode, unit: string, since: Date): Promise<readonly Date[]> {
  const entries = await host.journal({ since });
  return entries
    .filter(({ fields }) => fields["MESSAGE_ID"] === starting && fields["UNIT"]?.includes(unit) === true)
    .map(({ at }) => at);
}

/** An export is refused before it begins, and never between two databases for what it has written itself. */
import { mkdirSync, statfsSync } from "node:fs";
import { expect, it } from "vitest";
import type { Desk } from "#agent/engines/kwdb/moving/desk.ts";
import { whyNoRoomFor } from "#agent/engines/kwdb/moving/export-room.ts";
import { fakeHost, lookOf } from "../fake-host.ts";

interface Held {
  /** Of what is free, as a part of one. */
  readonly data: number;
  readonly exported?: number;
  readonly nodes?: number;
  readonly topology?: "single" | "single-replication" | "multi-replication";
}

async function refusal({ data, exported = 0, nodes = 1, topology = "single" }: Held) {
  let free = 0;
  const host = fakeHost((argv) => {
    const isOwn = argv.at(-1)?.includes("extern") === true;
    return lookOf(`${Math.floor(free * (isOwn ? exported : data + exported))}\t${argv.at(-1)}\n`);
  });
  const extern = "/data/extern/lockkeeper-r1";
  mkdirSync(host.path(exported > 0 ? extern : "/data"), { recursive: true });
  const { bavail, bsize } = statfsSync(host.path("/data"));
  free = bavail * bsize;
  const desk = { context: { host }, mode: { dataRoot: "/data", topology }, nodes, ...places(host) };
  return (await whyNoRoomFor(desk as never as Desk))?.code;
}

const places = (host: { path(of: string): string }) => ({
  hostPath: () => "/data/extern/lockkeeper-r1",
  path: () => host.path("/data/extern/lockkeeper-r1"),
});

it.each<readonly [string, Held, string | undefined]>([
  ["twice the data fits", { data: 0.4 }, undefined],
  ["twice the data does not", { data: 0.6 }, "kwdb.move-no-room"],
  ["half of it is exported already", { data: 0.4, exported: 0.3 }, undefined],
  ["four nodes share the data", { data: 0.2, nodes: 4, topology: "single-replication" }, "kwdb.move-no-room"],
  ["three nodes each have all of it", { data: 0.4, nodes: 3, topology: "multi-replication" }, undefined],
  ["nine nodes have a third", { data: 0.2, nodes: 9, topology: "multi-replication" }, "kwdb.move-no-room"],
])("%s", async (_, held, code) => expect(await refusal(held)).toBe(code));

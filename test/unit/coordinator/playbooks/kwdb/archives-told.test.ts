/** Archives in a snapshot: what each is of, and whether it is a backup of the cluster. */
import { expect, it } from "vitest";
import { renderSnapshot } from "#coordinator/cli/render/snapshot.ts";
import { plain } from "#coordinator/cli/render/style.ts";
import { describeCluster } from "#coordinator/domain/snapshot/snapshot.ts";
import { kwdb } from "#coordinator/playbooks/kwdb.ts";
import type { KwdbArchive } from "#proto/engines/kwdb.ts";
import { at, cluster, factsOf, is, reportOf } from "./cluster.ts";

const about = { cluster: "billing", node: "db1", rollout: "r1", version: "3.0.0", madeAt: at };
const found: readonly KwdbArchive[] = [
  { path: "/b/old.tar", bytes: 5, about: { ...about, madeAt: "2025", kind: "cluster-stop", isProven: true } },
  { path: "/b/new.tar", bytes: 7, about: { ...about, kind: "node-image", isProven: false } },
  { path: "/b/db2.tar", bytes: 7, about: { ...about, node: "db2", kind: "node-image", isProven: true } },
  { path: "/b/strange.tar", bytes: 9, about: null },
];

it("are listed in a snapshot with label and proof, newest first, and those of other nodes by these", () => {
  const report = is(reportOf("db1", { ...factsOf("db1", "3.0.0"), archives: is(found) }));
  const nodes = { db1: { report, clockOffset: is({ offsetMs: 0, errorMs: 0 }) } };
  const entry = { ...cluster, nodes: cluster.nodes.slice(0, 1) };
  const never = { at, notApplicable: "test" };
  const described = describeCluster({ entry, nodes, lock: never, claim: never, wordsInForce: [] }, kwdb);
  const text = renderSnapshot(
    { format: 1, id: "s-1", takenAt: at, by: "test", reason: "test", clusters: [described] },
    plain,
  );
  const lines = text.split("\n").filter((line) => line.includes("archive "));
  expect(lines).toEqual([
    `db1: archive /b/new.tar, 7 bytes, of 3.0.0 at ${at}, rollout r1: not a cluster backup, not proven`,
    "db1: archive /b/old.tar, 5 bytes, of 3.0.0 at 2025, rollout r1: part of a cluster's backup, proven",
    "db1: archive /b/strange.tar, 9 bytes: it does not say whose it is",
  ]);
});

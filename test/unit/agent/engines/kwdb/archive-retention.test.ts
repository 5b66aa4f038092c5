/** Which archives may go: the older ones of this very node, and never on a guess. */
import { describe, expect, it } from "vitest";
import { type FoundArchive, newRecord } from "#agent/engines/kwdb/archive-record.ts";
import { tooOld } from "#agent/engines/kwdb/archive-retention.ts";

interface Of {
  readonly node?: string;
  readonly cluster?: string;
  readonly rollout?: string;
  readonly isProven?: boolean;
  readonly kind?: "cluster-stop" | "node-image";
}

function archive(
  day: number,
  { node = "db1", cluster = "billing", rollout, isProven = true, kind = "cluster-stop" }: Of = {},
): FoundArchive {
  const versions = { from: "3.0.0", to: "3.1.0", kind, dataRoot: "/d" } as const;
  const of = {
    cluster,
    node,
    rollout: rollout ?? `r${day}`,
    stage: "s",
    attempt: 1,
    begunBefore: "nothing",
  } as const;
  const size = { bytes: 1, dataBytes: 1, manifest: { sha256: "", entries: 1, attributes: false } };
  const record = newRecord({ ...of, ...versions, ...size }, Date.UTC(2026, 0, day));
  const proven = isProven ? { at: record.madeAt, attempt: 1 } : null;
  return { path: `/backup/${day}.tar`, bytes: 1, record: { ...record, proven } };
}

const own = { cluster: "billing", node: "db1", rollout: "r9" };
const gone = (found: readonly FoundArchive[], keep = 2) =>
  tooOld(found, { ...own, keep }).map(({ path }) => path);

describe("archives that are removed", () => {
  it("are those beyond the newest, whatever the order in which they are found", () => {
    expect(gone([archive(2), archive(9), archive(1), archive(3)])).toEqual([
      "/backup/2.tar",
      "/backup/1.tar",
    ]);
    expect(gone([archive(9), archive(3)])).toEqual([]);
  });

  it("are counted by kind: the image of one node takes no place of a part of a cluster's backup", () => {
    const images = [7, 8, 9].map((day) => archive(day, { kind: "node-image" }));
    expect(gone([...images, archive(1), archive(2)])).toEqual(["/backup/7.tar"]);
  });

  it("are never those of the present rollout", () => {
    const present = [1, 2, 3].map((day) => archive(day, { rollout: "r9" }));
    expect(gone([...present, archive(4), archive(5)], 1)).toEqual(["/backup/4.tar"]);
  });

  it("are never another node's or another cluster's, and never one that does not say whose it is", () => {
    const strange: FoundArchive = { path: "/backup/x.tar", bytes: 1, record: undefined };
    const others = [archive(1, { node: "db2" }), archive(2, { cluster: "ledger" }), strange];
    expect(gone([...others, archive(7), archive(8)], 1)).toEqual(["/backup/7.tar"]);
  });

  it("do not make room for ones that were never proven", () => {
    const unproven = [7, 8, 9].map((day) => archive(day, { isProven: false }));
    expect(gone([...unproven, archive(1), archive(2), archive(3)])).toEqual(["/backup/1.tar"]);
    expect(gone([archive(9), archive(8), archive(1, { isProven: false })])).toEqual(["/backup/1.tar"]);
  });
});

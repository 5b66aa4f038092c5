import { expect, it } from "vitest";
import { readReport } from "#coordinator/api/health-reading.ts";
import { FailureError } from "#proto/common/failure.ts";
import { type NodeReport, reportFormat } from "#proto/common/report.ts";
import { kwdbFullSchema } from "#proto/engines/kwdb.ts";
import { Depth, Health } from "#proto/gen/lockkeeper/v1/health_pb.ts";
import { goldenText, holdsToGolden } from "#test/golden.ts";
import { factsOf, notApplicable, reportOf, rowOf, unknown } from "../coordinator/playbooks/kwdb/cluster.ts";

function read(kept: unknown): NodeReport {
  const reportJson = Buffer.from(JSON.stringify(kept));
  const found = readReport(
    Health.fromPartial({ depth: Depth.FULL, format: reportFormat, reportJson }),
    "db1",
  );
  if (!found.ok) throw new FailureError(found.failure);
  return found.value;
}

const job = {
  id: "1",
  type: "COMPRESS",
  status: "failed",
  created: "2026-02-01T09:00:00.000Z",
  finished: null,
  coordinatorId: 1,
  error: "context cancelled",
  lastSuccess: null,
};

/** All that can be known, what could not be measured, and what does not apply. */
function reports(): readonly NodeReport[] {
  const facts = {
    ...factsOf("db1", "3.0.0"),
    nodes: {
      at: unknown.at,
      value: [{ ...rowOf(0, "3.0.0"), draining: false, decommissioning: false, upgrading: true }],
    },
    jobs: { at: unknown.at, value: [job] },
    sessions: unknown,
    archive: { at: unknown.at, value: { folder: "/backup", availableBytes: 2, dataBytes: 1 } },
  };
  const plain = reportOf("db1", facts);
  const full = { ...plain, doneAt: "2026-02-01T10:00:01.000Z" };
  return [full, reportOf("db1", { ...facts, archive: notApplicable }, { ...plain.host, load: unknown })];
}

holdsToGolden("a node's report", {
  file: "proto/common/report",
  format: reportFormat,
  made: () => reports().map(read),
  read,
  refusal: "node.report-format-unknown",
});

it("the golden report's facts are those that the playbook of today judges by", () => {
  const kept = JSON.parse(goldenText("proto/common/report-format-1.json")) as readonly NodeReport[];
  for (const { facts } of kept) expect(kwdbFullSchema.parse(facts)).toEqual(facts);
  const [full] = kept.map(({ facts }) => kwdbFullSchema.parse(facts));
  expect(full).toMatchObject({
    running: { value: { version: "3.0.0", pid: 4_711 } },
    jobs: { value: [{ type: "COMPRESS", error: "context cancelled" }] },
    sessions: { unknown: { code: "look.failed" } },
  });
});

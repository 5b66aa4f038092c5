import { describe, expect, it } from "vitest";
import type { Row } from "#agent/engines/kwdb/answers.ts";
import {
  readJobs,
  readRangeSums,
  readSessions,
  readSettings,
  readSpread,
} from "#agent/engines/kwdb/questions.ts";

const told = (found: {
  readonly ok: boolean;
  readonly value?: unknown;
  readonly failure?: { readonly code: string };
}) => (found.ok ? found.value : found.failure?.code);

describe("sums over the stores", () => {
  const sums = (unavailable: string | null, underReplicated: string | null): readonly Row[] => [
    { ranges_unavailable: unavailable, ranges_underreplicated: underReplicated },
  ];

  it.each<[string, readonly Row[], unknown]>([
    ["healthy", sums("0", "0"), { unavailable: 0, underReplicated: 0 }],
    ["not healthy", sums("2", "13"), { unavailable: 2, underReplicated: 13 }],
    ["no store has written metrics", sums(null, null), "kwdb.metrics-missing"],
    ["one of them missing", sums("0", null), "kwdb.metrics-missing"],
    ["empty", sums("", ""), "kwdb.metrics-missing"],
    ["no row", [], "kwdb.metrics-missing"],
  ])("%s", (_, rows, outcome) => {
    expect(told(readRangeSums(rows))).toEqual(outcome);
  });
});

describe("settings", () => {
  it("are what this version has", () => {
    const rows = [
      { variable: "server.time_until_store_dead", value: "30m0s" },
      { variable: "cluster.preserve_downgrade_option", value: "" },
    ];
    expect(told(readSettings(rows))).toEqual({
      "server.time_until_store_dead": "30m0s",
      "cluster.preserve_downgrade_option": "",
    });
  });

  it("without the one that every version has are no answer", () => {
    expect(told(readSettings([{ variable: "ts.raft_log.sync_period", value: "10s" }]))).toBe(
      "kwdb.settings-missing",
    );
  });
});

describe("the spread", () => {
  const store = (node_id: string, range_count: string | null, lease_count: string): Row => ({
    node_id,
    range_count,
    lease_count,
  });

  it("counts a node's stores together", () => {
    expect(told(readSpread([store("1", "10", "3"), store("2", "9", "0"), store("1", "5", "4")]))).toEqual([
      { nodeId: 1, replicas: 15, leaseholders: 7 },
      { nodeId: 2, replicas: 9, leaseholders: 0 },
    ]);
  });

  it("does not take an unknown count for none", () => {
    expect(told(readSpread([store("1", null, "3")]))).toBe("kwdb.metrics-missing");
  });
});

describe("sessions", () => {
  const session = (node_id: string, client_address: string | null, application_name = "app"): Row => ({
    node_id,
    client_address,
    application_name,
  });

  it("are counted by node and client, without ports", () => {
    const rows = [
      session("1", "10.9.0.1:5001"),
      session("1", "10.9.0.1:5002"),
      session("2", "10.9.0.1:5003"),
    ];
    expect(told(readSessions(rows))).toEqual([
      { nodeId: 1, client: "10.9.0.1", count: 2 },
      { nodeId: 2, client: "10.9.0.1", count: 1 },
    ]);
  });

  it.each<[string, Row]>([
    ["the database's own", session("1", "<internal>")],
    ["one without an address", session("1", null)],
    ["a client tool's, our own included", session("1", "127.0.0.1:40000", "$ kwbase sql")],
  ])("leave out %s", (_, row) => {
    expect(told(readSessions([row]))).toEqual([]);
  });

  it("keep an address of version 6", () => {
    expect(told(readSessions([session("1", "[fd00::9]:5001")]))).toEqual([
      { nodeId: 1, client: "[fd00::9]", count: 1 },
    ]);
  });
});

describe("jobs", () => {
  it("keep what is not told as null", () => {
    const row = {
      job_id: "7",
      job_type: "IMPORT",
      status: "running",
      created: "2026-01-01 00:00:00+00:00",
      finished: null,
      coordinator_id: null,
      error: "",
      time_of_last_success: null,
    };
    expect(told(readJobs([row]))).toEqual([
      {
        id: "7",
        type: "IMPORT",
        status: "running",
        created: "2026-01-01 00:00:00+00:00",
        finished: null,
        coordinatorId: null,
        error: "",
        lastSuccess: null,
      },
    ]);
  });
});

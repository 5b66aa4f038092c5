/** Answers of real patronictl 3.0.2 and 4.0.7, of a cluster of two members. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  readConfiguration,
  readMembers,
  readOwnFile,
  readVersion,
  whyUnread,
} from "#agent/engines/postgresql/patroni/reading.ts";

const folder = new URL("../../../../../fixtures/agent/engines/postgresql/", import.meta.url);
const told = (name: string, version = "3.0.2") =>
  readFileSync(new URL(`patroni-${version}/${name}`, folder), "utf8");

describe("the members that patronictl lists", () => {
  it("are told with role, state and timeline", () => {
    expect(readMembers(told("list.json"))).toEqual([
      {
        name: "pg-old",
        host: "10.77.0.11",
        role: "leader",
        state: "running",
        timeline: 1,
        isPendingRestart: false,
      },
      {
        name: "pg-old2",
        host: "10.77.0.12",
        role: "replica",
        state: "running",
        timeline: 1,
        isPendingRestart: false,
      },
    ]);
  });

  it("tell who waits for a restart", () => {
    const waiting = readMembers(told("list-pending.json")).filter(({ isPendingRestart }) => isPendingRestart);
    expect(waiting.map(({ name }) => name)).toEqual(["pg-old"]);
  });

  it("read alike of 4.0, whose replicas stream and whose pending restarts have a reason", () => {
    const members = readMembers(told("list-pending.json", "4.0.7"));
    expect(members.map(({ role, state, isPendingRestart }) => [role, state, isPendingRestart])).toEqual([
      ["leader", "running", true],
      ["replica", "streaming", false],
    ]);
    expect(readMembers(told("list.json", "4.0.7"))).toHaveLength(2);
    expect(readConfiguration(parse(told("show-config-paused.yaml", "4.0.7"))).isPaused).toBe(true);
    expect(readVersion(told("version.txt", "4.0.7"))).toBe("4.0.7");
  });

  it("are told of one that is down, which has no timeline and may have no host", () => {
    const row = { Cluster: "orders", Member: "b", Host: "", Role: "Sync Standby", State: "stopped", TL: "" };
    expect(readMembers(JSON.stringify([row]))[0]).toMatchObject({ role: "sync standby", timeline: null });
  });

  it("are no list where the answer is another one", () => {
    expect(() => readMembers('{"message": "no"}')).toThrow();
    expect(() =>
      readMembers("Error: Can not find suitable configuration of distributed configuration store"),
    ).toThrow();
  });
});

describe("the dynamic configuration", () => {
  const read = (name: string) => readConfiguration(parse(told(name)));

  it("tells parameters as texts, and that nothing is paused", () => {
    expect(read("show-config.yaml")).toMatchObject({
      isPaused: false,
      isStandbyCluster: false,
      usesSlots: true,
      hba: false,
      parameters: { wal_level: "logical", max_wal_senders: "20" },
    });
  });

  it("tells that it is paused", () => {
    expect(read("show-config-paused.yaml").isPaused).toBe(true);
  });

  it("may be empty, or say what it does not use", () => {
    expect(readConfiguration(null)).toMatchObject({ isPaused: false, parameters: {} });
    expect(readConfiguration({ pause: false, postgresql: null })).toMatchObject({ isPaused: false });
    expect(
      readConfiguration({ postgresql: { use_slots: false, pg_hba: ["local all all peer"] } }),
    ).toMatchObject({
      usesSlots: false,
      hba: true,
    });
    expect(readConfiguration({ standby_cluster: { host: "10.0.0.9" } }).isStandbyCluster).toBe(true);
  });
});

describe("Patroni's own file", () => {
  it("names scope and member, and the lines that it writes into pg_hba.conf", () => {
    const file = "scope: 15-main\nname: db1\npostgresql: { pg_hba: ['local all all peer'] }\n";
    expect(readOwnFile(parse(file))).toEqual({ scope: "15-main", name: "db1", hba: true, hbaFile: false });
    const other = "scope: a\npostgresql: { parameters: { hba_file: /etc/pg_hba.conf } }\n";
    expect(readOwnFile(parse(other))).toEqual({ scope: "a", name: undefined, hba: false, hbaFile: true });
  });

  it("is told as unreadable in one line", () => {
    try {
      readOwnFile(parse("name: db1"));
      expect.unreachable();
    } catch (error) {
      expect(whyUnread(error)).toMatch(/^scope: [^\n]+$/);
    }
  });
});

it("reads the version that patronictl prints", () => {
  expect(readVersion(told("version.txt"))).toBe("3.0.2");
  expect(readVersion("patronictl version 4.0.4\n\n")).toBe("4.0.4");
  expect(readVersion("usage: patronictl")).toBeUndefined();
});

import { describe, expect, it } from "vitest";
import { checkCluster } from "#coordinator/playbooks/kwdb/checks.ts";
import type { KwdbFull } from "#proto/engines/kwdb.ts";
import { intervalMs } from "#proto/engines/kwdb-interval.ts";
import { at, type Changed, inputOf, is, mode, notApplicable, rows, unknown } from "./cluster.ts";

function statusOf(id: string, changed: Changed, node?: string): string {
  const found = checkCluster(inputOf(changed)).filter(
    (each) => each.id === `kwdb.${id}` && (node === undefined || each.node === node),
  );
  return found[0]?.status ?? "absent";
}

const ofAll = (facts: Partial<Record<keyof KwdbFull, unknown>>): Changed => ({
  facts: { db1: facts, db2: facts, db3: facts },
});
/** The hop to 3.2, with the setting that it needs as each node shows it. */
function to32(period?: string): Changed {
  const settings = { "server.time_until_store_dead": "00:30:00" };
  return {
    to: "3.2.0",
    ...ofAll({
      settings: is(period === undefined ? settings : { ...settings, "ts.raft_log.sync_period": period }),
    }),
  };
}

const of2 = (facts: Partial<Record<keyof KwdbFull, unknown>>): Changed => ({ facts: { db2: facts } });

const job = (type: string, status: string) => ({
  id: "7",
  type,
  status,
  created: at,
  finished: null,
  coordinatorId: 1,
  error: "",
  lastSuccess: null,
});
const jobs = (type: string, status: string) => ofAll({ jobs: is([job(type, status)]) });
const spread = (...leaseholders: readonly number[]) =>
  ofAll({
    spread: is(leaseholders.map((count, index) => ({ nodeId: index + 1, leaseholders: count, replicas: 9 }))),
  });
const sessions = (...pairs: readonly (readonly [string, number])[]) =>
  ofAll({ sessions: is(pairs.map(([client, nodeId]) => ({ client, nodeId, count: 1 }))) });
const setting = (text: string) => ofAll({ settings: is({ "server.time_until_store_dead": text }) });

describe("checks of the cluster", () => {
  it.each<readonly [string, string, string, Changed]>([
    ["version-hop", "ok", "a documented hop", {}],
    ["version-hop", "ko", "the version that runs already", { to: "3.0.0" }],
    ["version-hop", "ko", "a downgrade", { from: "3.1.0", to: "3.0.0" }],
    ["version-hop", "ko", "2.x to 3.x", { from: "2.2.0", to: "3.0.0" }],
    ["version-hop", "ok", "a single-replica cluster", { cluster: { topology: "single-replica" } }],
    ["version-hop", "unknown", "one node that does not say what it runs", of2({ running: unknown })],
    ["rolling-from-3-0", "absent", "a patch", {}],
    ["rolling-from-3-0", "unknown", "the hop on which the vendor contradicts itself", { to: "3.1.0" }],
    ["installer-of-3-2", "unknown", "a hop that the vendor's pages make otherwise", to32("0s")],
    ["installer-of-3-2", "absent", "a hop that they describe", { to: "3.1.0" }],
    ["hop-settings", "absent", "a hop that needs none", { to: "3.1.0" }],
    ["hop-settings", "ko", "3.2 with the raft log still written late", to32("10s")],
    ["hop-settings", "ko", "3.2 with a setting that nobody knows", to32()],
    ["hop-settings", "ok", "3.2 with the setting as it is shown by SQL", to32("00:00:00")],
    ["hop-settings", "ok", "3.2 with the setting as it is typed", to32("0s")],
    [
      "hop-settings",
      "absent",
      "a standalone node, which has no raft log to lose",
      { ...to32("10s"), topology: "standalone" },
    ],
    ["package-given", "ok", "a named package", {}],
    ["package-given", "ko", "no package", { wish: { artefact: undefined as never } }],
    ["node-count", "ok", "three nodes", {}],
    ["all-nodes-listed", "ok", "as many as the database knows", {}],
    ["all-nodes-listed", "ko", "one node seen fewer", ofAll({ nodes: is(rows().slice(0, 2)) })],
    ["views-agree", "ok", "one view", {}],
    [
      "views-agree",
      "ko",
      "db2 sees db3 dead",
      of2({ nodes: is(rows().map((row) => ({ ...row, isLive: row.id !== 3 }))) }),
    ],
    ["views-agree", "unknown", "db2 sees nothing", of2({ nodes: unknown })],
    ["ranges", "ok", "all replicas there", {}],
    ["ranges", "ko", "an unavailable range", of2({ ranges: is({ unavailable: 1, underReplicated: 0 }) })],
    [
      "ranges",
      "ko",
      "an under-replicated range",
      of2({ ranges: is({ unavailable: 0, underReplicated: 1 }) }),
    ],
    ["ranges", "unknown", "no metric on one node", of2({ ranges: unknown })],
    ["jobs", "ok", "none", {}],
    ["jobs", "ko", "a running import", jobs("IMPORT", "running")],
    ["jobs", "ko", "a paused schema change", jobs("SCHEMA CHANGE", "paused")],
    ["jobs", "ko", "a status that nobody knows", jobs("IMPORT", "whatever")],
    ["jobs", "ok", "a schema change that is over", jobs("SCHEMA CHANGE", "succeeded")],
    [
      "jobs",
      "ok",
      "the collection after a schema change, which waits for a day",
      jobs("SCHEMA CHANGE GC", "running"),
    ],
    ["jobs", "ok", "a stream, which runs for ever", jobs("STREAM", "running")],
    ["jobs", "unknown", "SHOW JOBS without an answer", of2({ jobs: unknown })],
    ["spread", "ok", "even", spread(10, 10, 10)],
    ["spread", "ok", "exactly 1.5 times the mean", spread(15, 10, 5)],
    ["spread", "warn", "more than 1.5 times the mean", spread(16, 10, 4)],
    ["spread", "ko", "a live node with none", spread(15, 15, 0)],
    ["spread", "ko", "a live node that is not listed at all", spread(15, 15)],
    ["spread", "unknown", "no answer", of2({ spread: unknown })],
    ["clients", "ok", "one client on two nodes", sessions(["10.9.9.9:1", 1], ["10.9.9.9:2", 2])],
    ["clients", "ok", "nobody", sessions()],
    [
      "clients",
      "warn",
      "a client on one node only",
      sessions(["10.9.9.9:1", 1], ["10.9.9.9:2", 2], ["10.7.7.7:1", 3]),
    ],
    ["clients", "unknown", "sessions that could not be counted", of2({ sessions: unknown })],
    ["outage-budget", "ok", "half an hour", setting("00:30:00")],
    ["outage-budget", "ok", "half an hour as it is set", setting("30m0s")],
    ["outage-budget", "ko", "the default of five minutes", setting("00:05:00")],
    ["outage-budget", "ko", "exactly the time that is needed", setting("00:15:00")],
    ["outage-budget", "ko", "something that is no time", setting("soon")],
    ["outage-budget", "ko", "no such setting", ofAll({ settings: is({}) })],
    ["outage-budget", "unknown", "no answer", of2({ settings: unknown })],
    ["backup", "unknown", "always: nobody can measure it", {}],
  ])("%s is %s: %s", (id, status, _, changed) => {
    expect(statusOf(id, changed)).toBe(status);
  });

  it.each([
    ["multi-replica", 2, "ko"],
    ["multi-replica", 3, "ok"],
    ["single-replica", 1, "ko"],
    ["single-replica", 2, "ok"],
    ["standalone", 1, "ok"],
    ["standalone", 2, "ko"],
  ])("a %s cluster of %i nodes: %s", (topology, count, status) => {
    const input = inputOf({ cluster: { topology } });
    const cluster = { ...input.cluster, nodes: input.cluster.nodes.slice(0, count) };
    expect(checkCluster({ ...input, cluster })).toContainEqual(
      expect.objectContaining({ id: "kwdb.node-count", status }),
    );
  });

  it("of an offline upgrade ask nothing about serving meanwhile", () => {
    const asked = checkCluster(inputOf({ wish: { strategy: "offline" } })).map(({ id }) => id);
    for (const id of ["kwdb.spread", "kwdb.clients", "kwdb.outage-budget"]) expect(asked).not.toContain(id);
    expect(asked).toContain("kwdb.ranges");
  });

  it("names the lonely client and counts sessions by the database's own node ids", () => {
    const results = checkCluster(inputOf(sessions(["10.9.9.9:1", 4], ["10.9.9.9:2", 9], ["10.7.7.7:1", 9])));
    expect(results.find(({ id }) => id === "kwdb.clients")?.facts).toEqual({
      sessions: "n4 1, n9 2",
      lonely: "10.7.7.7",
    });
  });
});

describe("checks of a node", () => {
  const disk = (free: number, inodes = 900_000) => ({
    host: {
      db2: {
        fileSystems: is([
          {
            path: "/d",
            mount: "/",
            sizeBytes: 1e12,
            availableBytes: free,
            inodes: 1e6,
            inodesAvailable: inodes,
          },
        ]),
      },
    },
  });
  const clock = (offsetMs: number, errorMs = 0) => ({ clocks: { db2: { offsetMs, errorMs } } });
  const unit = (change: object) =>
    of2({
      unit: is({ loaded: true, active: "active", sub: "running", mainPid: 1, needsReload: false, ...change }),
    });
  const row = (change: object) => of2({ nodes: is(rows().map((each) => ({ ...each, ...change }))) });

  it.each<readonly [string, string, string, Changed]>([
    ["agent-reports", "ok", "it does", {}],
    ["agent-reports", "unknown", "it does not", { facts: { db2: null } }],
    ["installed", "absent", "a node without a report is UNKNOWN once", { facts: { db2: null } }],
    ["installed", "ok", "it is", {}],
    ["installed", "ko", "no unit", unit({ loaded: false })],
    ["installed", "ko", "no version file", of2({ versionFile: unknown })],
    ["installed", "unknown", "systemd is mute", of2({ unit: unknown })],
    ["deployed-as-declared", "ok", "on the bare host", {}],
    ["deployed-as-declared", "ko", "in a container", of2({ mode: is({ ...mode, kind: "container" }) })],
    ["deployed-as-declared", "unknown", "no MODE", of2({ mode: unknown })],
    ["topology-agrees", "ok", "all four say multi-replica", {}],
    ["topology-agrees", "ko", "MODE says single", of2({ mode: is({ ...mode, topology: "single" }) })],
    [
      "topology-agrees",
      "ko",
      "the store says single replica",
      of2({ startModeFile: is("start-single-replica") }),
    ],
    ["topology-agrees", "ko", "SQL says single replica", row({ startMode: "start-single-replica" })],
    [
      "topology-agrees",
      "ko",
      "the inventory says single-replica",
      { cluster: { topology: "single-replica" } },
    ],
    ["topology-agrees", "unknown", "no MODE", of2({ mode: unknown })],
    ["topology-agrees", "unknown", "a node that is down cannot be asked", of2({ nodes: unknown })],
    ["topology-agrees", "unknown", "its own row is not there", of2({ nodes: is(rows().slice(0, 1)) })],
    ["topology-agrees", "unknown", "its own row does not say", row({ startMode: null })],
    ["topology-agrees", "unknown", "the store's file cannot be read", of2({ startModeFile: unknown })],
    [
      "topology-agrees",
      "ko",
      "a node that is down, whose store says single replica",
      of2({ nodes: unknown, startModeFile: is("start-single-replica") }),
    ],
    ["node-live", "ok", "live, available, ready", {}],
    ["node-live", "ko", "not live", row({ isLive: false })],
    ["node-live", "ko", "not available", row({ isAvailable: false })],
    ["node-live", "ko", "draining", row({ draining: true })],
    ["node-live", "ko", "decommissioning", row({ decommissioning: true })],
    ["node-live", "ko", "upgrading", row({ upgrading: true })],
    ["node-live", "ko", "not ready", of2({ ready: is(false) })],
    ["node-live", "ko", "not among the nodes", of2({ nodes: is(rows().filter(({ id }) => id !== 2)) })],
    ["node-live", "unknown", "no answer", of2({ nodes: unknown })],
    ["versions-agree", "ok", "one version", {}],
    [
      "versions-agree",
      "ok",
      "one version, written V3.0.0 in the file",
      of2({ versionFile: is({ basic: "V3.0.0", extended: null }) }),
    ],
    [
      "versions-agree",
      "ko",
      "new files, old process",
      of2({ versionFile: is({ basic: "3.0.1", extended: null }) }),
    ],
    ["versions-agree", "ko", "another binary", of2({ binary: is({ version: "3.0.1", sha256: "f" }) })],
    ["versions-agree", "unknown", "no process to ask", of2({ running: unknown })],
    ["versions-agree", "not-applicable", "it does not apply", of2({ running: notApplicable })],
    ["sudo", "ok", "works", {}],
    ["sudo", "ko", "does not", of2({ sudo: is(false) })],
    ["sudo", "unknown", "was not tried", of2({ sudo: unknown })],
    ["foreign-installer", "ok", "none", {}],
    ["foreign-installer", "ko", "another dpkg", of2({ foreign: is(["12 dpkg"]) })],
    ["foreign-installer", "unknown", "no list", of2({ foreign: unknown })],
    ["meddlers", "ok", "none", {}],
    ["meddlers", "warn", "apt's timer", of2({ meddlers: is(["apt-daily-upgrade.timer"]) })],
    ["meddlers", "unknown", "no list", of2({ meddlers: unknown })],
    ["clock", "ok", "right", clock(99)],
    ["clock", "warn", "a tenth of a second off", clock(100)],
    ["clock", "warn", "slow by a tenth", clock(-100)],
    ["clock", "ok", "off by less than is sure", clock(150, 60)],
    ["clock", "ko", "where the node would end itself", clock(400)],
    ["clock", "ko", "far off, surely", clock(-900, 400)],
    ["clock", "unknown", "compared too coarsely to tell", clock(-390, 400)],
    ["clock", "unknown", "never compared", { clocks: { db2: undefined } }],
    ["space", "ok", "enough", disk(2 * 1024 ** 3)],
    ["space", "ko", "a byte short", disk(2 * 1024 ** 3 - 1)],
    ["space", "ko", "no inodes", disk(1e12, 9_999)],
    ["space", "unknown", "unread", { host: { db2: { fileSystems: unknown } } }],
    ["old-package", "ok", "kept", {}],
    [
      "old-package",
      "unknown",
      "another version is kept",
      of2({ keptPackages: is([{ version: "2.9.0", sha256: "f" }]) }),
    ],
    ["old-package", "unknown", "unread", of2({ keptPackages: unknown })],
    ["left-overs", "ok", "none", {}],
    ["left-overs", "ko", "the flag stands", of2({ upgradeCompleteFlag: is(true) })],
    ["left-overs", "unknown", "unread", of2({ upgradeCompleteFlag: unknown })],
    ["unit-fresh", "ok", "fresh", {}],
    ["unit-fresh", "warn", "changed on disk", unit({ needsReload: true })],
    ["unit-fresh", "unknown", "systemd is mute", of2({ unit: unknown })],
    ["bindable", "ok", "readable", {}],
    ["bindable", "unknown", "the unit cannot be read", of2({ unitSha256: unknown })],
    ["bindable", "unknown", "the configuration cannot be read", of2({ configurationSha256: unknown })],
  ])("%s of db2 is %s: %s", (id, status, _, changed) => {
    expect(statusOf(id, changed, "db2")).toBe(status);
    if (!("cluster" in changed)) expect(statusOf(id, changed, "db1")).toBe("ok");
  });
});

describe("intervalMs", () => {
  it.each([
    ["00:30:00", 1_800_000],
    ["24:00:01", 86_401_000],
    ["30m0s", 1_800_000],
    ["", undefined],
    ["30", undefined],
    ["-00:05:00", undefined],
  ])("%s", (text, ms) => expect(intervalMs(text)).toBe(ms));
});

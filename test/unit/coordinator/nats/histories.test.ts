import { expect, it } from "vitest";
import { type AuditEntry, auditFormat, isWhole } from "#coordinator/domain/audit.ts";
import type { ClaimRecord } from "#coordinator/domain/claim.ts";
import type { LockRecord } from "#coordinator/domain/lock.ts";
import type { Playbook } from "#coordinator/domain/playbook.ts";
import { eventFormat, type RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import { fold } from "#coordinator/domain/rollout/reduce.ts";
import { heardUpTo, stageState } from "#coordinator/domain/rollout/state.ts";
import { headOf, type Snapshot, snapshotFormat } from "#coordinator/domain/snapshot/snapshot.ts";
import { AuditTrail } from "#coordinator/engine/audit-trail.ts";
import { RolloutJournal } from "#coordinator/engine/journal.ts";
import { Snapshots } from "#coordinator/engine/snapshots.ts";
import { auditEntries, rolloutEvents, snapshotDocuments } from "#coordinator/nats/histories.ts";
import { readStored } from "#coordinator/nats/stored.ts";
import { kwdb } from "#coordinator/playbooks/kwdb.ts";
import { fail, succeed } from "#proto/common/failure.ts";
import { memoryDocuments } from "#test/doubles/memory/documents.ts";
import { memoryEventLog } from "#test/doubles/memory/event-log.ts";
import { memoryRegister } from "#test/doubles/memory/register.ts";
import { VirtualClock } from "#test/flow/engine/virtual-clock.ts";
import { goldenText, holdsToGolden } from "#test/golden.ts";
import { everyFact, oneWord } from "../domain/rollout/every-fact.ts";
import { sha256, wholePlan } from "../domain/whole-plan.ts";
import { cluster, factsOf, reportOf } from "../playbooks/kwdb/cluster.ts";

const refusal = "store.format-unknown";
const rollout = "20260131-221500-ab12";
const by = "ann@ops (unproven)";
const samples = <T>(file: string) => JSON.parse(goldenText(`coordinator/nats/${file}.json`)) as readonly T[];

const readEvent = (kept: unknown): RolloutEvent => readStored(rolloutEvents, rollout, kept);
const readSnapshot = (kept: unknown): Snapshot => readStored(snapshotDocuments, "snapshot/s-1", kept);

/** Its first event is written by whoever begins it, all others by the journal. */
async function history(): Promise<readonly RolloutEvent[]> {
  const clock = new VirtualClock();
  const log = memoryEventLog<RolloutEvent>();
  const options = { approveEach: true, stopAfterNodes: 1 };
  const fact = { kind: "rollout-started", plan: wholePlan(), by, options, words: [oneWord] } as const;
  const at = new Date(clock.now()).toISOString();
  await log.append(rollout, [{ format: eventFormat, rollout, sequence: 1, at, fact }], 0);
  const journal = await RolloutJournal.load(rollout, { log, clock, random: () => 0.5 });
  await journal.append(...everyFact);
  return log.read(rollout);
}

holdsToGolden("a rollout's events", {
  file: "coordinator/nats/events",
  format: eventFormat,
  made: history,
  read: readEvent,
  refusal,
});

it("the golden history tells who held which lock, what was done on the node, and how far each agent was heard", () => {
  const events = samples("events-format-1").map(readEvent);
  const upTo = (kind: string) =>
    fold(events.slice(0, events.findIndex(({ fact }) => fact.kind === kind) + 1));
  expect(upTo("entered")?.lock).toMatchObject({ epochs: { 账单: 7 }, nonce: "n7", entered: ["db1"] });
  const ended = upTo("program-ended");
  if (ended === undefined) throw new Error("an empty log");
  const [program] = Object.values(stageState(ended, "node-db1").programs);
  expect(program).toMatchObject({
    standing: "ended",
    outcome: "failed",
    steps: { look: { phase: "done", outputs: { found: "3.0.0" } }, stop: { phase: "failed" } },
  });
  expect(heardUpTo(ended, "db1", "state-1")).toBe(19);
  expect(heardUpTo(ended, "db1", "state-2")).toBe(0);
  expect(fold(events)).toMatchObject({ by, skipped: ["db3"], plan: { to: "3.1.0" } });
});

it("an event of a known format with a plan of a newer one inside is refused too", () => {
  const [begun] = samples<RolloutEvent>("events-format-1");
  if (begun?.fact.kind !== "rollout-started") throw new Error("it does not begin with its start");
  const newer = { ...begun, fact: { ...begun.fact, plan: { ...begun.fact.plan, format: 2 } } };
  expect(() => readEvent(newer)).toThrow(refusal);
});

async function trail(): Promise<readonly AuditEntry[]> {
  const log = memoryEventLog<AuditEntry>();
  const audit = new AuditTrail(log, sha256, new VirtualClock());
  const facts = { to: "3.1.0", clusters: "账单" };
  await audit.record({ who: by, deed: "apply", subject: rollout, reason: "", facts });
  await audit.record({ who: by, deed: "lock-break", subject: "账单", reason: "db2 burnt", facts: {} });
  return log.read("audit");
}

holdsToGolden("an audit entry", {
  file: "coordinator/nats/audit",
  format: auditFormat,
  made: trail,
  read: (kept) => readStored(auditEntries, "audit", kept),
  refusal,
});

it("the golden audit log is whole: hashes are made as they were", () => {
  expect(isWhole(samples("audit-format-1"), sha256)).toBe(true);
});

/** Judges as it did when the golden file was written: what is found is no matter of the format. */
const judging: Playbook = {
  ...kwdb,
  summarise: () => ({
    version: "3.0.0",
    state: "ready",
    findings: [{ code: "kwdb.found", facts: { n: "1" } }],
  }),
  compareViews: () => [{ code: "kwdb.views-differ", facts: { nodes: "db1, db2" } }],
};

/** One node with all its facts, one that did not answer; a lock and a claim that stand, and a cluster without any. */
async function snapshot(): Promise<readonly Snapshot[]> {
  const clock = new VirtualClock();
  const locks = memoryRegister<LockRecord>();
  const claims = memoryRegister<ClaimRecord>();
  await locks.swap(cluster.name, samples<LockRecord>("lock-format-1")[2] as LockRecord, 0);
  await claims.swap(cluster.name, samples<ClaimRecord>("claim-format-1")[0] as ClaimRecord, 0);
  const documents = memoryDocuments<Snapshot>(() => clock.now());
  const taken = await new Snapshots({
    documents,
    fleet: {
      presence: () => undefined,
      send: () => false,
      takeReport: async (node) =>
        node === "db1"
          ? succeed({
              ...reportOf("db1", factsOf("db1", "3.0.0")),
              doneAt: "2026-02-01T10:00:01.000Z",
            })
          : fail("node.unreachable", { node }),
      lastReport: () => undefined,
      clockOffset: (node) => (node === "db1" ? { offsetMs: -3, errorMs: 2 } : undefined),
    },
    clock,
    newId: () => "s-1",
    locks,
    claims,
    retention: { keepCount: 9, keepMs: 1e12 },
    playbook: (engine) => (engine === "kwdb" ? judging : undefined),
    wordsInForce: (name) => (name === cluster.name ? [oneWord] : []),
    openRollouts: async () => [],
  }).take([cluster, { ...cluster, name: "stock", engine: "other", nodes: [] }], {
    by,
    reason: "before",
    rollout,
  });
  if (!taken.ok) throw new Error(taken.failure.code);
  return [await documents.get("snapshot/s-1")].filter((each) => each !== undefined);
}

holdsToGolden("a snapshot", {
  file: "coordinator/nats/snapshot",
  format: snapshotFormat,
  made: snapshot,
  read: readSnapshot,
  refusal,
});

it("the golden snapshot tells versions, who was silent, and who held the cluster", () => {
  const [kept] = samples("snapshot-format-1").map(readSnapshot);
  if (kept === undefined) throw new Error("no sample");
  expect(headOf(kept)).toMatchObject({ id: "s-1", clusters: ["账单", "stock"], nodes: 3 });
  const [first, second] = kept.clusters[0]?.nodes ?? [];
  expect(first).toMatchObject({ node: "db1", version: "3.0.0", clockOffset: { value: { offsetMs: -3 } } });
  expect(second).toMatchObject({ node: "db2", report: { unknown: { code: "node.unreachable" } } });
  expect(kept.clusters[0]).toMatchObject({ lock: { value: { epoch: 8 } }, claim: { value: { rollout } } });
});

it.each(["report", "lock", "claim"])(
  "a snapshot with a %s of a newer format inside is refused too",
  (part) => {
    const text = JSON.stringify(samples("snapshot-format-1")[0]);
    const newer = JSON.parse(text, (key, value) =>
      key === part && value?.value !== undefined ? { ...value, value: { ...value.value, format: 2 } } : value,
    ) as unknown;
    expect(() => readSnapshot(newer)).toThrow(refusal);
  },
);

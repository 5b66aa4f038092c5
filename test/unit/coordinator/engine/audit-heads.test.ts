import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { AuditEntry } from "#coordinator/domain/audit.ts";
import { AuditHeads } from "#coordinator/engine/audit-heads.ts";
import { AuditTrail } from "#coordinator/engine/audit-trail.ts";
import type { Presence } from "#coordinator/engine/ports.ts";
import { fail } from "#proto/common/failure.ts";
import type { Hello } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import { type MemoryEventLog, memoryEventLog } from "#test/doubles/memory/event-log.ts";
import { VirtualClock } from "#test/flow/engine/virtual-clock.ts";

const hash = (text: string) => createHash("sha256").update(text).digest("hex");
const order = (subject: string) => ({ who: "ann", deed: "apply", subject, reason: "", facts: {} });

/** One coordinator over a log, with agents whose disks are in the test's hands. */
function coordinator(log: MemoryEventLog<AuditEntry>, disks: Map<string, string>) {
  const trail = new AuditTrail(log, hash, new VirtualClock());
  const streams = new Map<string, Presence>();
  const heads = new AuditHeads({
    trail,
    warn: () => undefined,
    fleet: () => ({
      presence: (node) => streams.get(node),
      send: (node, message) => {
        if (message.$case !== "keepAuditHead" || !streams.has(node)) return false;
        disks.set(node, message.value.head);
        heads.keeps(node, message.value.head);
        return true;
      },
      takeReport: async (node) => fail("node.silent", { node }),
      lastReport: () => undefined,
    }),
  });
  const attach = async (node: string) => {
    const hello = { node, auditHead: disks.get(node) ?? "" } as Hello;
    const presence = { node, hello, stream: streams.size + 1, lastWordMs: 0, from: "10.0.0.1" };
    streams.set(node, presence);
    heads.attached(presence);
    await new Promise((resolve) => setImmediate(resolve));
  };
  const statuses = async () => (await heads.checks()).map(({ id, status }) => `${id} ${status}`);
  return { trail, heads, attach, statuses };
}

const fine = ["audit.chain ok", "audit.end ok"];

async function copyOf(log: MemoryEventLog<AuditEntry>, length: number): Promise<MemoryEventLog<AuditEntry>> {
  const copy = memoryEventLog<AuditEntry>();
  for (const entry of (await log.read("audit")).slice(0, length))
    await copy.append("audit", [entry], entry.sequence - 1);
  return copy;
}

describe("the head of the audit log", () => {
  it("is given to each agent that attaches, and with each order", async () => {
    const disks = new Map<string, string>();
    const { trail, heads, attach, statuses } = coordinator(memoryEventLog(), disks);
    await trail.load();
    await attach("db1");
    expect(disks.size).toBe(0);
    await trail.record(order("r1"));
    await attach("db2");
    expect([...disks.values()]).toEqual([trail.head, trail.head]);
    await trail.record(order("r2"));
    expect([...disks.values()]).toEqual([trail.head, trail.head]);
    const { kept } = await heads.ends();
    expect(kept).toEqual([
      { node: "db1", sequence: 2 },
      { node: "db2", sequence: 2 },
    ]);
    expect(await statuses()).toEqual(fine);
  });

  it("shows that the end was lost, and that stays in the log", async () => {
    const disks = new Map<string, string>();
    const log = memoryEventLog<AuditEntry>();
    const before = coordinator(log, disks);
    await before.trail.load();
    await before.attach("db1");
    for (const rollout of ["r1", "r2", "r3"]) await before.trail.record(order(rollout));
    const lostHead = before.trail.head;

    const after = coordinator(await copyOf(log, 1), disks);
    await after.trail.load();
    await after.attach("db1");
    expect(await after.statuses()).toEqual(["audit.chain ok", "audit.end ko"]);
    const { lost } = await after.heads.ends();
    expect(lost).toMatchObject([{ node: "db1", head: lostHead }]);
    // it keeps the new end now, and the loss is told for ever, once
    expect(disks.get("db1")).toBe(after.trail.head);
    await after.attach("db1");
    expect((await after.heads.ends()).lost).toHaveLength(1);
  });

  it("may lag behind: an agent that was away keeps an older entry, and nothing is lost", async () => {
    const disks = new Map<string, string>();
    const log = memoryEventLog<AuditEntry>();
    const before = coordinator(log, disks);
    await before.trail.load();
    await before.trail.record(order("r1"));
    await before.attach("db1");
    // another coordinator led meanwhile
    const other = coordinator(log, new Map());
    await other.trail.load();
    await other.trail.record(order("r2"));
    const again = coordinator(log, disks);
    await again.trail.load();
    await again.attach("db1");
    expect(await again.statuses()).toEqual(fine);
    expect(disks.get("db1")).toBe(other.trail.head);
  });
});

describe("an order in the audit log", () => {
  it("stands there once when only the acknowledgement was lost", async () => {
    const log = memoryEventLog<AuditEntry>();
    const { trail } = coordinator(log, new Map());
    await trail.load();
    log.loseNextAck();
    await trail.record(order("r1"));
    expect((await trail.read()).entries).toHaveLength(1);
  });

  it("is missed at the beginning too", async () => {
    const log = memoryEventLog<AuditEntry>();
    const { trail } = coordinator(log, new Map());
    for (const rollout of ["r1", "r2"]) await trail.record(order(rollout));
    const cut = memoryEventLog<AuditEntry>();
    const [, second] = await log.read("audit");
    if (second !== undefined) await cut.append("audit", [second], 0);
    expect((await coordinator(cut, new Map()).trail.read()).chainHolds).toBe(false);
  });
});

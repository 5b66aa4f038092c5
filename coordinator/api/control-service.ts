/**
 * ControlService over gRPC: unpacks messages, asks the application, packs its answer. A refusal goes out
 * as a gRPC status with the Failure in a trailer. No rule of the product lives here.
 */
import type { ServiceImplementation } from "nice-grpc";
import { FailureError, failure } from "#proto/common/failure.ts";
import type { ControlServiceService, PushArtefactRequest } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import { planFormat } from "../domain/plan.ts";
import { eventFormat } from "../domain/rollout/event.ts";
import { snapshotFormat } from "../domain/snapshot/snapshot.ts";
import { answering, bounded, document, refuse, taken, who } from "./answering.ts";
import type { ArtefactShelf, ControlPort } from "./control-port.ts";
import { orderWish, wanted, wishOf } from "./wishes.ts";

type Service = ServiceImplementation<typeof ControlServiceService>;

export function controlService(port: ControlPort, shelf: ArtefactShelf): Service {
  return {
    ...ofFleet(port),
    ...ofPlans(port),
    ...ofRollouts(port),
    ...ofRecords(port),
    ...ofArtefacts(shelf),
  };
}

type FleetCalls =
  | "applyInventory"
  | "removeNode"
  | "discover"
  | "getFleet"
  | "listLeftOvers"
  | "listLocks"
  | "breakLock";

function ofFleet(port: ControlPort): Pick<Service, FleetCalls> {
  return {
    applyInventory: answering(async ({ caller, yaml, fileName, dryRun, prune }) => {
      const file = { name: fileName, yaml, dryRun, prune };
      const { changes, kept } = taken(await port.applyInventory(who(caller), file));
      return { diff: document("diff", 1, changes), kept };
    }),
    removeNode: answering(async ({ caller, cluster, node, reason }) => {
      taken(await port.removeNode(who(caller), { cluster, node, reason }));
      return {};
    }),
    discover: answering(async () => ({ yaml: taken(await port.discover()) })),
    getFleet: answering(async ({ cluster }) => ({
      fleet: document("fleet", 1, taken(await port.fleet(cluster || undefined))),
    })),
    listLeftOvers: answering(async ({ cluster }) => ({
      leftOvers: document("left-overs", 1, taken(await port.leftOvers(cluster || undefined))),
    })),
    listLocks: answering(async ({ cluster }) => ({
      locks: taken(await port.locks(cluster || undefined)).map((lock) => document("lock", 1, lock)),
    })),
    breakLock: answering(async ({ caller, cluster, reason, word }) => ({
      lock: document("lock", 1, taken(await port.breakLock(who(caller), { cluster, reason, word }))),
    })),
  };
}

function ofPlans(port: ControlPort): Pick<Service, "check" | "makePlan" | "apply" | "steer"> {
  return {
    check: answering(async ({ target }) => ({
      checks: document("check", 1, taken(await port.check(wanted(target)))),
    })),
    makePlan: answering(async ({ purpose, backStrategy, backDigest, backWithout }) => {
      if (purpose === undefined) throw new FailureError(failure("cli.cluster-missing", {}));
      if (purpose.$case === "backFromRollout") {
        const back = await port.makePlanBack(purpose.value, {
          ...(backStrategy === "" ? {} : { strategy: backStrategy }),
          ...(backDigest === "" ? {} : { digest: backDigest }),
          ...(backWithout === "" ? {} : { without: backWithout }),
        });
        return { plan: document("plan", planFormat, taken(back)) };
      }
      if (purpose.$case === "mend") {
        const { cluster, values } = purpose.value;
        return { plan: document("plan", planFormat, taken(await port.makePlanToMend(cluster, values))) };
      }
      const { ways, plan } = taken(await port.makePlan(wanted(purpose.value)));
      const told = { ways: document("ways", 1, ways) };
      return plan.ok
        ? { ...told, plan: document("plan", planFormat, plan.value) }
        : { ...told, refused: document("failure", 1, plan.failure) };
    }),
    apply: answering(async (request) => {
      const { rollout, notes } = taken(await port.apply(who(request.caller), wishOf(request)));
      return { rollout, notes: notes.map((note) => document("failure", 1, note)) };
    }),
    steer: answering(async (request) => {
      taken(await port.steer(who(request.caller), orderWish(request)));
      return {};
    }),
  };
}

function ofRollouts(port: ControlPort): Pick<Service, "listRollouts" | "getRollout" | "watch" | "why"> {
  return {
    listRollouts: answering(async ({ cluster, openOnly, limit }) => {
      const found = taken(
        await port.rollouts({ openOnly, limit: bounded(limit), ...(cluster === "" ? {} : { cluster }) }),
      );
      return { rollouts: found.map((each) => document("rollout", 1, each)) };
    }),
    getRollout: answering(async ({ name }) => ({
      rollout: document("rollout", 1, taken(await port.rollout(name))),
    })),
    async *watch({ rollout, afterSequence, follow }, context) {
      try {
        for await (const event of port.watch(rollout, afterSequence, follow, context.signal)) {
          yield { sequence: event.sequence, event: document("event", eventFormat, event) };
        }
      } catch (error) {
        throw refuse(error, context);
      }
    },
    why: answering(async ({ name }) => ({ why: document("why", 1, taken(await port.why(name))) })),
  };
}

type RecordCalls = "takeSnapshot" | "listSnapshots" | "getSnapshot" | "listAudit" | "doctor";

function ofRecords(port: ControlPort): Pick<Service, RecordCalls> {
  return {
    takeSnapshot: answering(async ({ caller, cluster, reason }) => ({
      snapshot: document(
        "snapshot",
        snapshotFormat,
        taken(await port.takeSnapshot(who(caller), { reason, ...(cluster === "" ? {} : { cluster }) })),
      ),
    })),
    listSnapshots: answering(async ({ cluster, limit }) => {
      const heads = taken(
        await port.listSnapshots({ limit: bounded(limit), ...(cluster === "" ? {} : { cluster }) }),
      );
      return { snapshots: heads.map((head) => document("snapshot-head", snapshotFormat, head)) };
    }),
    getSnapshot: answering(async ({ id }) => ({
      snapshot: document("snapshot", snapshotFormat, taken(await port.snapshot(id))),
    })),
    listAudit: answering(async ({ limit }) => {
      const { entries, chainHolds, ends } = taken(await port.audit(bounded(limit)));
      return {
        entries: entries.map((entry) => document("audit", entry.format, entry)),
        chainHolds,
        ends: document("audit-ends", 1, ends),
      };
    }),
    doctor: answering(async () => ({ findings: document("doctor", 1, taken(await port.doctor())) })),
  };
}

function ofArtefacts(shelf: ArtefactShelf): Pick<Service, "pushArtefact" | "listArtefacts"> {
  return {
    pushArtefact: answering(async (request: AsyncIterable<PushArtefactRequest>) => {
      const { header, chunks } = await opened(request);
      return { digest: taken(await shelf.push(header, chunks)) };
    }),
    listArtefacts: answering(async () => ({ artefacts: [...(await shelf.list())] })),
  };
}

async function opened(parts: AsyncIterable<PushArtefactRequest>) {
  const iterator = parts[Symbol.asyncIterator]();
  const first = await iterator.next();
  const part = first.done === true ? undefined : first.value.part;
  if (part?.$case !== "header") throw new FailureError(failure("artefact.without-header", {}));
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      if (next.value.part?.$case === "chunk") yield next.value.part.value;
    }
  }
  return { header: part.value, chunks: chunks() };
}

/**
 * ControlService over gRPC: unpacks messages, asks the application, packs its answer. A refusal goes out
 * as a gRPC status with the Failure in a trailer. No rule of the product lives here.
 */
import { type CallContext, ServerError, type ServiceImplementation, Status } from "nice-grpc";
import { type Failure, FailureError, failure, type Outcome } from "#proto/common/failure.ts";
import {
  type ApplyRequest,
  type Caller,
  type ControlServiceService,
  type Document,
  type PushArtefactRequest,
  Steering,
  type Target,
  type Word as WireWord,
} from "#proto/gen/lockkeeper/v1/control_pb.ts";
import { Failure as WireFailure } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { type Plan, planFormat } from "../domain/plan.ts";
import { eventFormat } from "../domain/rollout/event.ts";
import { snapshotFormat } from "../domain/snapshot/snapshot.ts";
import type { ArtefactShelf, ControlPort, GivenWord, Order, WantedTarget } from "./control-port.ts";

const failureTrailer = "lockkeeper-failure-bin";

export function controlService(
  port: ControlPort,
  shelf: ArtefactShelf,
): ServiceImplementation<typeof ControlServiceService> {
  return {
    applyInventory: answering(async ({ caller, yaml, fileName, dryRun }) => ({
      diff: document(
        "diff",
        1,
        taken(await port.applyInventory(who(caller), { name: fileName, yaml, dryRun })),
      ),
    })),
    removeNode: answering(async ({ caller, cluster, node, reason }) => {
      taken(await port.removeNode(who(caller), { cluster, node, reason }));
      return {};
    }),
    discover: answering(async () => ({ yaml: taken(await port.discover()) })),
    getFleet: answering(async ({ cluster }) => ({
      fleet: document("fleet", 1, taken(await port.fleet(cluster || undefined))),
    })),
    check: answering(async ({ target }) => ({
      checks: document("check", 1, taken(await port.check(wanted(target)))),
    })),
    makePlan: answering(async ({ purpose }) => {
      if (purpose === undefined) throw new FailureError(failure("cli.cluster-missing", {}));
      const made =
        purpose.$case === "target" ? port.makePlan(wanted(purpose.value)) : port.makePlanBack(purpose.value);
      return { plan: document("plan", planFormat, taken(await made)) };
    }),
    apply: answering(async (request) => ({
      rollout: taken(await port.apply(who(request.caller), wishOf(request))),
    })),
    steer: answering(async ({ caller, rollout, steering, node, reason, acknowledgements, overrides }) => {
      const words = givenWords(acknowledgements, overrides);
      taken(
        await port.steer(who(caller), {
          rollout,
          order: orderOf(steering),
          reason,
          words,
          ...(node === "" ? {} : { node }),
        }),
      );
      return {};
    }),
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
    listLocks: answering(async ({ cluster }) => ({
      locks: taken(await port.locks(cluster || undefined)).map((lock) => document("lock", 1, lock)),
    })),
    breakLock: answering(async ({ caller, cluster, reason, word }) => ({
      lock: document("lock", 1, taken(await port.breakLock(who(caller), { cluster, reason, word }))),
    })),
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
    pushArtefact: answering(async (request: AsyncIterable<PushArtefactRequest>) => {
      const { header, chunks } = await opened(request);
      return { digest: taken(await shelf.push(header, chunks)) };
    }),
    listArtefacts: answering(async () => ({ artefacts: [...(await shelf.list())] })),
  };
}

function answering<Request, Response>(handle: (request: Request) => Promise<Response>) {
  return async (request: Request, context: CallContext): Promise<Response> => {
    try {
      return await handle(request);
    } catch (error) {
      throw refuse(error, context);
    }
  };
}

/** Puts the failure into the trailer; what is no FailureError is a defect, told as such without its internals. */
function refuse(error: unknown, context: CallContext): unknown {
  if (error instanceof ServerError || context.signal.aborted) return error;
  const told: Failure =
    error instanceof FailureError ? error.failure : failure("internal.unexpected", { cause: String(error) });
  context.trailer.set(
    failureTrailer,
    Buffer.from(WireFailure.encode(WireFailure.fromPartial(told)).finish()),
  );
  return new ServerError(
    error instanceof FailureError ? Status.FAILED_PRECONDITION : Status.INTERNAL,
    told.code,
  );
}

function taken<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw new FailureError(outcome.failure);
}

function document(kind: string, format: number, body: unknown): Document {
  return { kind, format, json: Buffer.from(JSON.stringify(body)) };
}

/** Nothing proves the name yet, and the record says so. */
function who(caller: Caller | undefined): string {
  return `${caller?.user || "somebody"}@${caller?.host || "somewhere"} (unproven)`;
}

function wanted(target: Target | undefined): WantedTarget {
  if (target === undefined) throw new FailureError(failure("cli.cluster-missing", {}));
  const { cluster, version, artefact, digest, strategy, method, intoCluster } = target;
  const given = Object.entries({ artefact, digest, strategy, method, into: intoCluster }).filter(
    ([, value]) => value !== "",
  );
  return { cluster, version, ...Object.fromEntries(given) };
}

function wishOf({ plan, stopAfterNodes, approveEach, acknowledgements, overrides }: ApplyRequest) {
  if (plan?.kind !== "plan")
    throw new FailureError(failure("cli.plan-unreadable", { file: "request", cause: "it is not a plan" }));
  return {
    plan: JSON.parse(Buffer.from(plan.json).toString("utf8")) as Plan,
    approveEach,
    words: givenWords(acknowledgements, overrides),
    ...(stopAfterNodes > 0 ? { stopAfterNodes } : {}),
  };
}

function givenWords(
  acknowledgements: readonly WireWord[],
  overrides: readonly WireWord[],
): readonly GivenWord[] {
  const give =
    (kind: GivenWord["kind"]) =>
    (word: WireWord): GivenWord => ({
      kind,
      check: word.check,
      reason: word.reason,
      ...(word.until === "" ? {} : { until: word.until }),
    });
  return [...acknowledgements.map(give("acknowledgement")), ...overrides.map(give("override"))];
}

const orders: Readonly<Record<Steering, Order | undefined>> = {
  [Steering.UNSPECIFIED]: undefined,
  [Steering.PAUSE]: "pause",
  [Steering.RESUME]: "resume",
  [Steering.ABORT]: "abort",
  [Steering.APPROVE]: "approve",
  [Steering.RETRY]: "retry",
  [Steering.SKIP]: "skip",
};

function orderOf(steering: Steering): Order {
  const order = orders[steering];
  if (order === undefined)
    throw new FailureError(failure("internal.document", { wanted: "an order", got: String(steering) }));
  return order;
}

function bounded(limit: number): number {
  return limit < 1 ? 100 : Math.min(limit, 10_000);
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

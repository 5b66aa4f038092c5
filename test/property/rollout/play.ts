/**
 * A rollout played against hosts that do as they like. What comes next is decided by the product, what came of it
 * is drawn; people steer when they like, as far as the product lets them. After every event the state is looked at.
 */

import type { Action } from "#coordinator/domain/rollout/action.ts";
import { decide } from "#coordinator/domain/rollout/decide.ts";
import {
  eventFormat,
  type ProgramOutcome,
  type RolloutEvent,
  type RolloutFact,
} from "#coordinator/domain/rollout/event.ts";
import { fold, reduce } from "#coordinator/domain/rollout/reduce.ts";
import {
  anyMemory,
  heardUpTo,
  type ProgramState,
  type RolloutState,
  stageOfWire,
} from "#coordinator/domain/rollout/state.ts";
import { phaseOf } from "#coordinator/domain/rollout/view.ts";
import type { Order } from "#coordinator/engine/orders/application-means.ts";
import { factFor } from "#coordinator/engine/orders/order-fact.ts";
import { type Failure, failure } from "#proto/common/failure.ts";
import { factOf } from "./notes.ts";
import { nodes, plan } from "./plan.ts";

export interface Chances {
  readonly random: () => number;
  /** Of a thousand: how often something goes wrong, and how often a person steers. */
  readonly trouble: number;
  readonly steering: number;
  readonly approveEach: boolean;
  readonly stopAfterNodes: number | undefined;
}

interface Running {
  readonly node: string;
  readonly wireStage: string;
  readonly attempt: number;
  readonly underLock: boolean;
  /** Let in, and since then it may change its host. */
  readonly entered: boolean;
}

const why = failure("sim.trouble", {});
const mendable = failure("sim.mendable", {});
const busy = failure("fence.program-not-freed", {});
const orders: readonly Order[] = ["pause", "resume", "abort", "approve", "retry", "skip"];
const maxTurns = 250;

export class Play {
  readonly #chances: Chances;
  readonly events: RolloutEvent[] = [];
  state: RolloutState;
  readonly violations: string[] = [];
  /** Programs that run on their hosts, by wire stage and node: the truth, whatever the state says. */
  readonly #running = new Map<string, Running>();
  readonly #proven = new Set<string>();
  /** By stage that may have changed a host: the nodes on which what was begun has not come to its end. */
  readonly #entered = new Map<string, Set<string>>();
  /** Stages whose gates were green since a program of theirs was sent. */
  readonly #green = new Set<string>();
  /** How often a stage was run again for a wait. */
  reopened = 0;
  #marks = 0;

  constructor(chances: Chances) {
    this.#chances = chances;
    const { approveEach, stopAfterNodes } = chances;
    const options = { approveEach, ...(stopAfterNodes === undefined ? {} : { stopAfterNodes }) };
    const started: RolloutFact = { kind: "rollout-started", plan, by: "op", options, words: [] };
    this.events.push({ format: eventFormat, rollout: "r", sequence: 1, at: "t", fact: started });
    this.state = reduce(undefined, this.events[0] as RolloutEvent);
  }

  /** Until nothing moves any more without a person, or the rollout is over. */
  run(): void {
    for (let turn = 0; turn < maxTurns && this.state.end === undefined; turn += 1) {
      if (this.#happens(this.#chances.steering)) this.#steer(this.#oneOf(orders));
      if (this.#happens(50)) this.#endForgotten();
      const action = decide(this.state);
      if (action.do === "rest" || action.do === "await-approval") {
        this.#named(action);
        if (action.do === "await-approval" && this.#happens(this.#chances.trouble))
          this.#looksAgain(action.stage);
        if (this.#happens(300)) this.#steer(action.do === "rest" ? "resume" : "approve");
      } else this.#perform(action);
      if (this.violations.length > 0) return;
    }
    // folding anew is slow, and the same in every history
    if (this.#happens(50) && JSON.stringify(fold(this.events)) !== JSON.stringify(this.state))
      this.violations.push("a fold anew differs");
  }

  /** Leaves the rest to nobody: it must come to rest by itself. */
  settle(): void {
    for (let turn = 0; turn < maxTurns; turn += 1) {
      const action = decide(this.state);
      if (this.state.end !== undefined || action.do === "rest" || action.do === "await-approval") {
        this.#named(action);
        return;
      }
      this.#perform(action);
      if (this.violations.length > 0) return;
    }
    this.violations.push(`it never comes to rest: ${decide(this.state).do}`);
  }

  #named(action: Action): void {
    const phase = phaseOf(this.state);
    if (this.state.end === undefined && phase === "running")
      this.violations.push("it rests, and nobody knows why");
    if (phase === "stopped" && this.state.stop?.why.code === undefined)
      this.violations.push("a stop without reason");
    if (action.do === "rest" && phase === "aborting") this.violations.push("an abort that rests half-way");
  }

  #steer(order: Order): void {
    const wish = { rollout: "r", order, reason: "r", words: [], node: this.#oneOf(nodes) };
    const ordered = {
      state: this.state,
      words: [],
      nowMs: 0,
      playbook: { mayServeMixed: () => true } as never,
    };
    const fact = factFor("op", order === "skip" ? wish : ({ ...wish, node: undefined } as never), ordered);
    if (fact.ok) this.#append(fact.value);
  }

  #append(...facts: readonly RolloutFact[]): void {
    for (const fact of facts) {
      const event: RolloutEvent = {
        format: eventFormat,
        rollout: "r",
        sequence: this.state.sequence + 1,
        at: "t",
        fact,
      };
      this.events.push(event);
      this.state = reduce(this.state, event);
    }
  }

  #perform(action: Exclude<Action, { do: "rest" | "await-approval" }>): void {
    const fails = this.#happens(this.#chances.trouble);
    switch (action.do) {
      case "look-before-grant":
      case "grant":
      case "await-programs":
      case "ask-to-stop":
        if (fails) this.#stop(action.stage, "nodes" in action ? action.nodes[0] : undefined);
        else this.#goesWell(action);
        return;
      case "take-gate":
        this.#gate(action, fails);
        return;
      case "announce": {
        const { stage } = action;
        const nonce = this.state.lock?.nonce ?? "";
        this.#append(fails ? { kind: "withdrawn", stage, nonce, why } : { kind: "announced", stage, nonce });
        return;
      }
      case "send":
        this.#send(action);
        return;
      case "undo":
        this.#undo(action.programs);
        return;
      case "withdraw":
        this.#dropWaiting();
        this.#append({ kind: "withdrawn", stage: action.stage, nonce: action.lock.nonce, why: action.why });
        return;
      case "free":
        this.#free(action.lock.stage, action.lock.nonce);
        return;
      case "start-stage":
      case "snapshot":
      case "pass-phase":
      case "pass-stage":
      case "end-wait":
      case "reopen-stage":
      case "pause":
      case "stop":
      case "finish":
      case "finish-abort":
      case "arm-watches":
      case "disarm-watches":
      case "keep-hold":
        this.#note(action);
    }
  }

  #goesWell(
    action: Extract<Action, { do: "look-before-grant" | "grant" | "await-programs" | "ask-to-stop" }>,
  ): void {
    if (action.do === "look-before-grant")
      this.#append({ kind: "checks-judged", stage: action.stage, blocking: [] });
    else if (action.do === "grant") this.#grant(action);
    else this.#work(action.stage, action.nodes, action.do === "ask-to-stop" ? "stopped" : undefined);
  }

  /** What the engine only writes down. */
  #note(action: Action): void {
    if (action.do === "reopen-stage") this.#reopens(action.stage);
    if (action.do === "finish" || action.do === "finish-abort") this.#leavesNothing(action.do);
    if (action.do === "finish") this.#allProven();
    const fact = factOf(action);
    if (fact === undefined) this.violations.push(`nothing in this plan asks for ${action.do}`);
    else this.#append(fact);
  }

  /** While a person is waited for, a gate says what can be mended. */
  #looksAgain(stage: string): void {
    if (stage !== "wait") return;
    this.#append({ kind: "gate-waited", stage, gate: "up", when: "before", why: mendable });
    if (decide(this.state).do === "await-approval")
      this.violations.push("a person is waited for while something is to be mended");
  }

  /** What proved its last run proves nothing of the next one; no more runs than the plan allows, unless a person has ordered it to go on. */
  #reopens(stage: string): void {
    if (this.state.lock !== undefined) this.violations.push(`${stage} is reopened under a lock`);
    const since = this.events.findLastIndex(({ fact }) => fact.kind === "resumed" || fact.kind === "retried");
    const runs = this.events.slice(since + 1).filter(({ fact }) => fact.kind === "stage-reopened").length;
    if (runs >= 2) this.violations.push(`${stage} is reopened more often than the plan allows`);
    this.#proven.delete(stage);
    this.#green.delete(stage);
    this.reopened += 1;
  }

  /** Their agents are told, and drop what still waits to enter. */
  #dropWaiting(): void {
    for (const { node, underLock, entered } of [...this.#running.values()])
      if (underLock && !entered) this.#running.delete(node);
  }

  #gate({ stage, gate, when }: Extract<Action, { do: "take-gate" }>, fails: boolean): void {
    const told = { stage, gate: gate.gate, cluster: gate.cluster, when } as const;
    if (fails) {
      const cause = this.#happens(500) ? mendable : why;
      this.#append({ kind: "gate-failed", ...told, why: cause, hint: "h" });
      if (decide(this.state).do === "take-gate") this.#stop(stage);
      return;
    }
    if (when === "after") this.#green.add(stage);
    this.#append({ kind: "gate-passed", ...told, dwellMs: 1, lastSampleAt: "t" });
  }

  #grant({ stage, clusters, nodes: granted, scope }: Extract<Action, { do: "grant" }>): void {
    this.#marks += 1;
    if (this.state.lock !== undefined)
      this.violations.push(`${stage} is granted while ${this.state.lock.stage} holds the lock`);
    const nonce = `n${this.#marks}`;
    this.#append({
      kind: "granted",
      stage,
      clusters,
      nodes: granted,
      scope,
      epochs: { c: this.#marks },
      nonce,
    });
  }

  #send({ stage, phase, programs, attempt, lock }: Extract<Action, { do: "send" }>): void {
    const changes = lock !== undefined;
    const wireStage = phase === undefined ? stage : `${stage}/${phase}`;
    for (const { node } of programs) {
      for (const other of this.#running.values())
        if (other.entered && stageOfWire(other.wireStage) !== stage)
          this.violations.push(
            `${wireStage} is sent to ${node} while ${other.wireStage} runs on ${other.node}`,
          );
      if (changes && this.state.lock?.stage !== stage)
        this.violations.push(`${wireStage} is sent without its lock`);
      const epoch = lock?.epochs["c"] ?? 0;
      const phased = phase === undefined ? {} : { phase };
      this.#append({ kind: "program-sent", stage, node, attempt, epoch, ...phased });
      this.#green.delete(stage);
      if (this.#running.has(node)) this.#tellEnd({ node, wireStage, attempt }, "failed", busy);
      else this.#running.set(node, { node, wireStage, attempt, underLock: changes, entered: false });
    }
  }

  /** Nobody waits for it any more, and it comes to its end all the same. */
  #endForgotten(): void {
    const forgotten = [...this.#running.values()].find((running) => !this.#isAwaited(running));
    if (forgotten === undefined) return;
    this.#ends(forgotten, forgotten.underLock && !forgotten.entered ? "never-begun" : "done");
  }

  #isAwaited({ node, wireStage, attempt }: Running): boolean {
    const stage = this.state.stages.find(({ id }) => id === stageOfWire(wireStage));
    const program = stage?.programs[`${wireStage} ${node}`];
    return program?.attempt === attempt && program.standing !== "ended";
  }

  /** Some of the programs come further, or to their end, in any order. */
  #work(stage: string, awaited: readonly string[], asked?: "stopped"): void {
    const programs = Object.values(this.state.stages.find(({ id }) => id === stage)?.programs ?? {});
    const open = programs.filter(({ node, standing }) => standing !== "ended" && awaited.includes(node));
    const program = open[this.#chances.random() % Math.max(1, open.length)];
    if (program === undefined) return;
    const { lock } = this.state;
    const isOut = lock !== undefined && !lock.entered.includes(program.node);
    if (isOut && this.#happens(700)) {
      const { node, wireStage, attempt } = program;
      this.#running.set(node, { node, wireStage, attempt, underLock: true, entered: true });
      this.#entered.set(stage, (this.#entered.get(stage) ?? new Set()).add(node));
      this.#append({ kind: "entered", stage, node, epoch: lock.epochs["c"] ?? 0 });
    } else if (isOut) this.#ends(program, this.#happens(500) ? "never-begun" : "failed");
    else if (this.#happens(300)) this.#steps(program);
    else
      this.#ends(
        program,
        this.#happens(this.#chances.trouble) ? this.#oneOf(["failed", "unknown"]) : (asked ?? "done"),
      );
  }

  #steps({ node, wireStage, attempt, steps }: ProgramState): void {
    const step = steps["stop"] === undefined ? "stop" : "upgrade";
    const said = { measuredAt: "t", elapsedMs: 1, outputs: {}, tail: "", runner: "" };
    const of = { node, stage: wireStage, attempt, agentSequence: this.#sequence(node) };
    this.#append({ kind: "step", step, phase: "done", ...said, ...of });
  }

  #ends(program: Omit<Running, "underLock" | "entered">, outcome: ProgramOutcome): void {
    this.#running.delete(program.node);
    if (outcome === "done" || outcome === "stopped")
      this.#entered.get(stageOfWire(program.wireStage))?.delete(program.node);
    this.#tellEnd(program, outcome, why);
  }

  #tellEnd(
    { node, wireStage, attempt }: Omit<Running, "underLock" | "entered">,
    outcome: ProgramOutcome,
    cause: Failure,
  ): void {
    const of = { node, stage: wireStage, attempt, agentSequence: this.#sequence(node) };
    const failed = outcome === "failed" || outcome === "unknown" ? { failure: cause } : {};
    this.#append({ kind: "program-ended", epoch: 1, outcome, step: "", ...failed, ...of });
  }

  #undo(programs: readonly ProgramState[]): void {
    for (const { wireStage, node, attempt } of programs) {
      this.#running.set(node, { node, wireStage, attempt, underLock: true, entered: true });
      this.#append({ kind: "undo-asked", stage: wireStage, node, attempt });
    }
  }

  #free(stage: string, nonce: string): void {
    // the engine does not free a lock while its node says that the program is in flight
    if ([...this.#running.values()].some(({ entered }) => entered)) this.#endForgotten();
    else {
      this.#prove(stage);
      this.#append({ kind: "freed", stage, nonce });
    }
  }

  #stop(stage: string, node?: string): void {
    this.#append({ kind: "stopped", stage, why, hint: "h", ...(node === undefined ? {} : { node }) });
  }

  #leavesNothing(end: string): void {
    if (this.state.lock !== undefined)
      this.violations.push(`${end} with the lock of ${this.state.lock.stage}`);
    for (const { entered, wireStage, node } of this.#running.values())
      if (entered) this.violations.push(`${end} while ${wireStage} runs on ${node}`);
  }

  /** Freed in good order: the newest program is done, and the gates were green after it. */
  #prove(id: string): void {
    const halfWay = [...(this.#entered.get(id) ?? [])];
    if (halfWay.length > 0 && !this.state.aborting)
      this.violations.push(`${id} is freed with ${halfWay.join(", ")} half-way`);
    const stage = this.state.stages.find((each) => each.id === id);
    const isGreen = this.#green.has(id);
    const isDone = Object.values(stage?.programs ?? {}).every(({ outcome }) => outcome === "done");
    if (isGreen && isDone) this.#proven.add(id);
    else if (!this.state.aborting)
      this.violations.push(
        `${id} is freed, and nothing proves it: ${isGreen ? "green" : "not green"} ${JSON.stringify(stage?.programs)}`,
      );
  }

  #allProven(): void {
    for (const spec of plan.stages) {
      const isSkipped = this.state.stages.find(({ id }) => id === spec.id)?.standing === "skipped";
      const needsProof =
        spec.kind === "node" ||
        (spec.kind === "cluster" && (this.#entered.has(spec.id) || !this.#areAllSkipped));
      if (needsProof && !isSkipped && !this.#proven.has(spec.id))
        this.violations.push(`done, and ${spec.id} is not proven`);
    }
  }

  get #areAllSkipped(): boolean {
    return nodes.every((node) => this.state.skipped.includes(node));
  }

  #sequence(node: string): number {
    return heardUpTo(this.state, node, anyMemory) + 1;
  }

  #happens(ofThousand: number): boolean {
    return this.#chances.random() % 1_000 < ofThousand;
  }

  #oneOf<T>(choices: readonly T[]): T {
    return choices[this.#chances.random() % choices.length] as T;
  }
}

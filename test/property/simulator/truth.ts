/** What is really so on the hosts, and the invariants that are looked at whenever something happens there. */
import type { Program } from "#proto/gen/lockkeeper/v1/program_pb.ts";

export type Invariant = "I1" | "I2" | "I3" | "I4";

export interface Violation {
  readonly invariant: Invariant;
  readonly text: string;
}

export class Truth {
  readonly violations: Violation[] = [];
  /** Nodes between their enter and the word that they are free, with the nonce that they entered under. */
  readonly inWork = new Map<string, string>();
  /** Nodes that a step has left broken. */
  readonly broken = new Set<string>();
  readonly #seen = new Map<string, { epoch: number; readonly all: Set<string> }>();
  readonly #starts = new Map<string, number>();
  /** What the history has reached: starts of changing steps, enters, frees, and losses of an agent's memory. */
  readonly counts = { starts: 0, enters: 0, frees: 0, silences: 0 };
  /** Nodes whose agents have lost their memory and for which nobody has answered yet. */
  readonly #forgetful = new Set<string>();
  /** The next step to end fails. */
  stepFails = false;
  readonly #nodes: readonly string[];

  constructor(nodes: readonly string[]) {
    this.#nodes = nodes;
  }

  sawEpoch(node: string, epoch: number, nonce: string): void {
    const seen = this.#seen.get(node) ?? { epoch: 0, all: new Set() };
    this.#seen.set(node, seen);
    seen.epoch = Math.max(seen.epoch, epoch);
    // what an agent without memory says yes to, nobody has proven
    if (!this.#forgetful.has(node)) seen.all.add(nonce);
  }

  entered(node: string, program: Program): void {
    this.counts.enters += 1;
    this.#begins(node, program);
  }

  started(node: string, program: Program, step: string): void {
    const { attempt, nonce, epoch } = program;
    this.counts.starts += 1;
    if (this.inWork.get(node) !== nonce) this.#begins(node, program);
    const seen = this.#seen.get(node)?.epoch ?? 0;
    if (epoch < seen) this.#violated("I2", `${node} starts ${step} under ${epoch} and has seen ${seen}`);
    const key = startKey(node, program, step);
    const starts = (this.#starts.get(key) ?? 0) + 1;
    this.#starts.set(key, starts);
    if (starts > 1)
      this.#violated("I3", `${node} starts ${step} of attempt ${attempt} for the ${starts}. time`);
    this.broken.add(node);
  }

  hasStarted(node: string, program: Program, step: string): boolean {
    return this.#starts.has(startKey(node, program, step));
  }

  finished(node: string, step: string): "done" | "failed" {
    const fails = this.stepFails;
    this.stepFails = false;
    if (!fails && step === "start") this.broken.delete(node);
    return fails ? "failed" : "done";
  }

  left(node: string, nonce: string): void {
    if (this.inWork.get(node) !== nonce) return;
    this.counts.frees += 1;
    this.inWork.delete(node);
  }

  lostMemory(node: string): void {
    this.counts.silences += 1;
    this.#forgetful.add(node);
  }

  /** A person has looked at the node, put it in order and answered for it: its agent begins anew. */
  mended(node: string): void {
    this.inWork.delete(node);
    this.broken.delete(node);
    this.#forgetful.delete(node);
    const seen = this.#seen.get(node);
    if (seen !== undefined) seen.epoch = 0;
  }

  #begins(node: string, { nonce, epoch }: Program): void {
    for (const [other, held] of this.inWork) {
      if (other !== node && held !== nonce)
        this.#violated("I1", `${node} enters under ${nonce} while ${other} is in work under ${held}`);
    }
    for (const other of this.#nodes) {
      if (other === node) continue;
      if (this.#seen.get(other)?.all.has(nonce) !== true)
        this.#violated(
          "I4",
          `${node} enters under ${epoch}, to which ${other} has not said yes in its right mind`,
        );
      if (this.broken.has(other) && this.inWork.get(other) !== nonce)
        this.#violated("I4", `${node} enters while ${other} is broken`);
    }
    this.inWork.set(node, nonce);
  }

  #violated(invariant: Invariant, text: string): void {
    this.violations.push({ invariant, text });
  }
}

function startKey(node: string, { stage, attempt, nonce }: Program, step: string): string {
  return `${node} ${stage} ${attempt} ${nonce} ${step}`;
}

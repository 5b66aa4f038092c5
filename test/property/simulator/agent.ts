/**
 * One agent of a history. It decides by the product's fence and keeps what it knows as the product's journal
 * does, folded by the product's `remember`; only files, streams and tools are made up.
 */
import { type Entry, keyText } from "#agent/program/entry.ts";
import { type Answer, enterLimitMs, type FencedProgram, type FenceView } from "#agent/program/fence.ts";
import { type Memory, type ProgramMemory, unfinishedProgram } from "#agent/program/memory.ts";
import { keyOf } from "#agent/program/say.ts";
import { eventMessage, helloOf } from "#agent/program/wire.ts";
import { type Failure, failure } from "#proto/common/failure.ts";
import { type Program, ProgramOutcome, StepPhase } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { died, SimJournal } from "./agent-journal.ts";
import type { Down, Stream, Up } from "./network.ts";
import type { World } from "./world.ts";

const moment = { wallMs: 0, bootId: "b", uptimeMs: 0 };

export class SimAgent {
  readonly node: string;
  readonly #world: World;
  readonly #journal: SimJournal;
  alive = true;
  stream: Stream | undefined;
  #question: { readonly of: ProgramMemory; readonly sinceMs: number } | undefined;
  /** Let in, and the entry for it is not on the disk yet. */
  #letIn: ProgramMemory | undefined;
  readonly #enteredAtMs = new Map<string, number>();

  constructor(world: World, node: string) {
    this.#world = world;
    this.node = node;
    this.#journal = new SimJournal(node, world.truth);
    this.#journal.open(`${node}-1`);
  }

  get memory(): Memory {
    return this.#journal.memory;
  }

  /** After so many durable writes it dies; with a half, right after the last of them. */
  lightFuse(writes: number): void {
    this.#journal.fuse = writes;
  }

  get unfinished(): ProgramMemory | undefined {
    return unfinishedProgram(this.memory);
  }

  kill(): void {
    this.alive = false;
    this.stream = undefined;
    this.#question = undefined;
    this.#letIn = undefined;
  }

  /** With `stateId`, from an empty state folder. */
  start(stateId?: string): void {
    this.alive = true;
    this.#journal.open(stateId);
    this.#living(() => {
      const of = this.unfinished;
      if (of !== undefined && of.ended === undefined && of.enterAsked && !of.entered)
        this.#drop(of, failure("enter.unanswered", { cause: "the agent was restarted" }));
    });
  }

  dial(stream: Stream): void {
    this.hangUp();
    this.stream = stream;
    const self = { node: this.node, agentVersion: "sim", contract: 1, bootId: "b", engine: "sim" };
    this.#send({ $case: "hello", value: helloOf(self, this.memory) });
    for (const event of this.memory.events) if (event.kind === "ended") this.#send(eventMessage(event));
  }

  hangUp(): void {
    if (this.stream !== undefined) this.#send({ $case: "gone" });
    this.stream = undefined;
  }

  hear(message: Down): void {
    this.#living(() => this.#handle(message));
  }

  /** One thing that it does of its own: a write, a question, a step. False when there is nothing to do. */
  work(): boolean {
    const before = this.#journal.writes;
    this.#living(() => this.#act());
    return this.#journal.writes > before;
  }

  #living(deed: () => void): void {
    if (!this.alive) return;
    try {
      deed();
    } catch (error) {
      if (error !== died) throw error;
      this.#world.say(() => `${this.node} dies at a write`);
      this.kill();
    }
  }

  #handle(message: Down): void {
    switch (message.$case) {
      case "epochNotice":
        this.#announce(message.value);
        return;
      case "runProgram":
        if (message.value.program !== undefined) this.#accept(message.value.program);
        return;
      case "enterGranted":
        this.#granted(message.value);
        return;
      case "enterRefused":
        this.#refused(message.value);
        return;
      case "programFreed":
        this.#free(message.value);
        return;
      case "rolloutClosed":
        if (this.unfinished?.program.rollout !== message.value.rollout)
          this.#append({ kind: "closed", rollout: message.value.rollout });
        return;
      case "keepAuditHead":
      case "welcome":
      case "stopProgram":
      case "takeHealth":
      case "ack":
      case "makeHoldPermanent":
      case "armWatch":
      case "disarmWatch":
        return;
    }
  }

  #announce({
    cluster,
    epoch,
    nonce,
    rollout,
  }: {
    cluster: string;
    epoch: number;
    nonce: string;
    rollout: string;
  }): void {
    const answer = this.#world.rules.answerNotice(this.#view(), { cluster, epoch, nonce });
    if (answer.says === "yes") {
      const dropped =
        answer.drops === undefined ? undefined : this.memory.programs.get(keyText(answer.drops));
      if (dropped !== undefined) this.#drop(dropped, failure("fence.epoch-too-low", { cluster }));
      this.#append({ kind: "epoch-seen", cluster, epoch, nonce, rollout, auditHead: "" });
    }
    const said = answer.says === "yes" ? { accepted: true } : { accepted: false, refusal: wire(answer.why) };
    this.#send({ $case: "epochSeen", value: { cluster, epoch, nonce, ...said } });
  }

  #accept(program: Program): void {
    const known = this.memory.programs.get(keyText(program));
    const { rollout, stage, attempt, epoch, nonce, cluster } = program;
    const answer = this.#world.rules.answerProgram(this.#view(), program);
    const refusal =
      known === undefined ? whyNot(answer, this.unfinished) : whyNotSame(known.program, program);
    if (refusal === undefined && known === undefined) {
      const waiting = this.unfinished;
      if (waiting !== undefined && waiting.ended === undefined)
        this.#drop(waiting, failure("program.overtaken"));
      if (!this.#world.rules.announces)
        this.#append({ kind: "epoch-seen", cluster, epoch, nonce, rollout, auditHead: "" });
      this.#append({ kind: "accepted", program });
    }
    const said = refusal === undefined ? {} : { refusal: wire(refusal) };
    const value = { rollout, stage, attempt, epoch, accepted: refusal === undefined, ...said };
    this.#send({ $case: "programAccepted", value });
  }

  #granted(granted: { cluster: string; epoch: number; nonce: string }): void {
    const question = this.#question;
    if (question === undefined) return;
    const waitedMs = this.#world.nowMs - question.sinceMs;
    if (this.#world.rules.answerEnter(this.#view(), granted, waitedMs).says !== "yes") return;
    this.#letIn = question.of;
    this.#question = undefined;
  }

  #refused({ epoch, nonce }: { epoch: number; nonce: string }): void {
    const of = this.#question?.of;
    if (of === undefined || of.program.epoch !== epoch || of.program.nonce !== nonce) return;
    this.#question = undefined;
    this.#end(of, ProgramOutcome.NEVER_BEGUN, failure("enter.refused"));
  }

  #free({ rollout, stage, epoch }: { rollout: string; stage: string; epoch: number }): void {
    const of = this.unfinished;
    if (of === undefined || of.program.rollout !== rollout || of.program.epoch !== epoch) return;
    if (of.program.stage !== stage && !of.program.stage.startsWith(`${stage}/`)) return;
    if (of.ended !== undefined) this.#append({ kind: "freed", ...keyOf(of.program) });
    else if (!of.entered && this.#letIn !== of) this.#drop(of, failure("program.withdrawn"));
  }

  #act(): void {
    const of = this.unfinished;
    if (of === undefined || of.ended !== undefined) return;
    if (this.#letIn === of) this.#enter(of);
    else if (of.entered || !this.#world.rules.enters) this.#step(of);
    else if (this.#question === undefined) this.#ask(of);
    else if (this.#world.nowMs - this.#question.sinceMs >= enterLimitMs) this.#giveUp(of);
  }

  #ask(of: ProgramMemory): void {
    if (this.stream === undefined) return;
    if (this.#world.rules.mayChange(this.memory, of.program).says === "no") {
      this.#end(of, ProgramOutcome.NEVER_BEGUN, failure("fence.epoch-too-low"));
      return;
    }
    this.#append({ kind: "enter-asked", ...keyOf(of.program) });
    this.#question = { of, sinceMs: this.#world.nowMs };
    const { cluster, rollout, stage, epoch, nonce } = of.program;
    this.#send({ $case: "enterRequest", value: { cluster, rollout, stage, epoch, nonce } });
  }

  #giveUp(of: ProgramMemory): void {
    this.#question = undefined;
    this.#end(of, ProgramOutcome.NEVER_BEGUN, failure("enter.unanswered"));
  }

  #enter(of: ProgramMemory): void {
    this.#append({ kind: "entered", ...keyOf(of.program) });
    this.#letIn = undefined;
    this.#enteredAtMs.set(keyText(of.program), this.#world.nowMs);
  }

  #step(of: ProgramMemory): void {
    const { truth } = this.#world;
    const step = of.program.steps.find(({ id }) => of.steps.get(id)?.ended === undefined);
    if (step === undefined) this.#end(of, ProgramOutcome.DONE);
    // what was journalled as started and was not, because the agent died in between, is started now
    else if (!truth.hasStarted(this.node, of.program, step.id)) this.#begin(of, step.id);
    else {
      const how = truth.finished(this.node, step.id);
      this.#say(of, step.id, how === "done" ? StepPhase.DONE : StepPhase.FAILED);
      if (how !== "done") this.#end(of, ProgramOutcome.FAILED, failure("sim.failed", { step: step.id }));
    }
  }

  #begin(of: ProgramMemory, step: string): void {
    const { truth, rules } = this.#world;
    if (rules.mayChange(this.memory, of.program).says === "no") {
      this.#end(of, ProgramOutcome.FAILED, failure("fence.epoch-too-low"));
      return;
    }
    if (!of.steps.has(step)) this.#say(of, step, StepPhase.STARTED);
    truth.started(this.node, of.program, step);
  }

  #say(of: ProgramMemory, step: string, phase: StepPhase): void {
    const said = { moment, elapsedMs: 0, outputs: {}, tail: "", runner: "" };
    this.#append({ kind: "step", ...keyOf(of.program), step, phase, ...said });
  }

  #drop(of: ProgramMemory, why: Failure): void {
    if (this.#question?.of === of) this.#question = undefined;
    if (of.ended === undefined) this.#end(of, ProgramOutcome.NEVER_BEGUN, why);
  }

  #end(of: ProgramMemory, outcome: ProgramOutcome, why?: Failure): void {
    const { program } = of;
    const said = why === undefined ? {} : { failure: why };
    this.#append({ kind: "ended", ...keyOf(program), epoch: program.epoch, outcome, step: "", ...said });
    const event = this.memory.events.at(-1);
    if (event !== undefined) this.#send(eventMessage(event));
  }

  #append(entry: Entry): void {
    this.#journal.append(entry);
  }

  #send(message: Up): void {
    if (this.stream !== undefined) this.#world.net.send({ to: "coordinator", stream: this.stream, message });
  }

  #view(): FenceView {
    const of = this.unfinished;
    if (of === undefined) return { highest: this.memory.highest, program: undefined };
    const { rollout, stage, attempt, cluster, epoch, nonce } = of.program;
    const standing =
      of.ended !== undefined
        ? "ended"
        : of.entered || this.#letIn === of
          ? "in-flight"
          : of.enterAsked
            ? "entering"
            : "waiting";
    const program: FencedProgram = { rollout, stage, attempt, cluster, epoch, nonce, standing };
    const sinceMs = this.#enteredAtMs.get(keyText(of.program)) ?? this.#world.nowMs;
    return {
      highest: this.memory.highest,
      program: this.#world.rules.holding(program, { sinceMs, nowMs: this.#world.nowMs }),
    };
  }
}

function whyNot(answer: Answer, unfinished: ProgramMemory | undefined): Failure | undefined {
  if (answer.says === "no") return answer.why;
  const busy = unfinished !== undefined && unfinished.ended === undefined && answer.drops === undefined;
  return busy ? failure("agent.busy") : undefined;
}

function whyNotSame(known: Program, program: Program): Failure | undefined {
  return known.nonce === program.nonce ? undefined : failure("program.differs");
}

function wire({ code, facts }: Failure): { readonly code: string; readonly facts: Record<string, string> } {
  return { code, facts: { ...facts } };
}

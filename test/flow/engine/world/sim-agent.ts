/**
 * An agent that decides by the real fence, with a program runner small enough to be killed anywhere. It keeps
 * what it has "fsynced" over a death.
 */
import {
  answerEnter,
  answerNotice,
  answerProgram,
  type FencedProgram,
  type Fencing,
} from "#agent/program/fence.ts";
import type { Presence } from "#coordinator/engine/ports.ts";
import type { ConnectRequest, ConnectResponse } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import { ProgramStanding } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import {
  type Program,
  type ProgramEnded,
  ProgramOutcome,
  StepClass,
  type StepEvent,
  StepPhase,
} from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { latencyMs, type Node, stepMs } from "./node.ts";
import type { World } from "./world.ts";

type Out = NonNullable<ConnectResponse["message"]>;
type In = NonNullable<ConnectRequest["message"]>;

interface Disk {
  stateId: string;
  auditHead: string;
  highest: Map<string, Fencing>;
  program:
    | (FencedProgram & {
        readonly message: Program;
        done: string[];
        started: string | undefined;
        outcome: ProgramOutcome | undefined;
      })
    | undefined;
  events: { readonly sequence: number; readonly rollout: string; readonly said: In }[];
  sequence: number;
}

export class SimAgent {
  readonly node: Node;
  readonly disk: Disk;
  readonly #world: World;
  #life = 0;
  #stream = 0;
  alive = false;

  constructor(world: World, node: Node) {
    this.#world = world;
    this.node = node;
    this.disk = {
      stateId: `state-${node.name}`,
      auditHead: "",
      highest: new Map(),
      program: undefined,
      events: [],
      sequence: 0,
    };
  }

  start(): void {
    this.alive = true;
    this.#life += 1;
    const program = this.disk.program;
    // an agent that died before it entered has given up: nothing was begun
    if (program !== undefined && (program.standing === "entering" || program.standing === "waiting")) {
      this.disk.program = undefined;
      this.#ended(program.message, ProgramOutcome.NEVER_BEGUN, "");
    }
    this.dial();
    if (this.disk.program?.standing === "in-flight") void this.#run(this.#life);
  }

  kill(): void {
    this.alive = false;
    this.#life += 1;
    this.#world.coordinator?.lost(this.node.name);
  }

  dial(): void {
    const world = this.#world;
    const life = this.#life;
    world.clock.after(latencyMs, () => {
      if (!this.alive || life !== this.#life) return;
      if (world.coordinator === undefined) {
        world.clock.after(200, () => this.alive && life === this.#life && this.dial());
        return;
      }
      this.#stream += 1;
      const program = this.disk.program;
      const presence: Presence = {
        node: this.node.name,
        stream: this.#stream,
        lastWordMs: world.clock.monotonicMs(),
        hello: {
          node: this.node.name,
          agentVersion: "sim",
          contract: 1,
          bootId: "b",
          stateId: this.disk.stateId,
          highest: [...this.disk.highest.values()],
          abandoned: [],
          engine: "tiny",
          auditHead: this.disk.auditHead,
          ...(program === undefined
            ? {}
            : {
                unfinished: {
                  ...program,
                  standing:
                    program.standing === "in-flight"
                      ? ProgramStanding.IN_FLIGHT
                      : program.standing === "ended"
                        ? ProgramStanding.ENDED
                        : ProgramStanding.WAITING,
                },
              }),
        },
      };
      const have = world.coordinator.attach(presence);
      for (const { sequence, rollout, said } of this.disk.events)
        if (sequence > (have.get(rollout) ?? 0)) this.#say(said);
    });
  }

  hear(message: Out): void {
    const life = this.#life;
    this.#world.clock.after(latencyMs, () => {
      if (this.alive && life === this.#life) this.#hear(message);
    });
  }

  #hear(message: Out): void {
    const view = { highest: this.disk.highest, program: this.disk.program };
    switch (message.$case) {
      case "epochNotice": {
        const { cluster, epoch, nonce } = message.value;
        const answer = answerNotice(view, { cluster, epoch, nonce });
        if (answer.says === "yes") {
          this.disk.highest.set(cluster, { cluster, epoch, nonce });
          if (answer.drops !== undefined) this.disk.program = undefined;
          this.#world.wrote(this);
        }
        const refusal =
          answer.says === "no" ? { refusal: { code: answer.why.code, facts: { ...answer.why.facts } } } : {};
        this.#say({
          $case: "epochSeen",
          value: { cluster, epoch, nonce, accepted: answer.says === "yes", ...refusal },
        });
        return;
      }
      case "runProgram":
        this.#take(message.value.program);
        return;
      case "enterGranted": {
        if (answerEnter(view, message.value, 0).says === "no") return;
        this.#setStanding("in-flight");
        this.#world.wrote(this);
        void this.#run(this.#life);
        return;
      }
      case "programFreed":
        if (this.disk.program?.epoch === message.value.epoch) this.disk.program = undefined;
        return;
      case "keepAuditHead":
        this.disk.auditHead = message.value.head;
        this.#say({ $case: "auditHeadKept", value: message.value });
        return;
      case "stopProgram":
      case "enterRefused":
      case "ack":
      case "rolloutClosed":
      case "welcome":
      case "takeHealth":
      case "makeHoldPermanent":
      case "armWatch":
      case "disarmWatch":
        return;
    }
  }

  #take(message: Program | undefined): void {
    if (message === undefined) return;
    const { rollout, stage, attempt, cluster, epoch, nonce } = message;
    const wanted = { rollout, stage, attempt, cluster, epoch, nonce };
    if (epoch === 0) return void this.#observe(message);
    const held = this.disk.program;
    const answer = answerProgram({ highest: this.disk.highest, program: held }, wanted);
    if (answer.says === "no") {
      this.#say({
        $case: "programAccepted",
        value: {
          rollout,
          stage,
          attempt,
          epoch,
          accepted: false,
          refusal: { code: answer.why.code, facts: { ...answer.why.facts } },
        },
      });
      return;
    }
    if (held !== undefined && held.stage === stage && held.attempt === attempt) return;
    this.disk.program = {
      ...wanted,
      standing: "entering",
      message,
      done: [],
      started: undefined,
      outcome: undefined,
    };
    this.#world.wrote(this);
    this.#say({ $case: "programAccepted", value: { rollout, stage, attempt, epoch, accepted: true } });
    this.#say({ $case: "enterRequest", value: { cluster, rollout, stage, epoch, nonce } });
    this.#world.clock.after(5_000, () => this.#giveUpEnter(wanted));
  }

  #giveUpEnter({ cluster, epoch, nonce, rollout, stage, attempt }: Omit<FencedProgram, "standing">): void {
    const program = this.disk.program;
    if (
      !this.alive ||
      program?.standing !== "entering" ||
      program.epoch !== epoch ||
      program.attempt !== attempt
    )
      return;
    this.disk.program = undefined;
    this.#say({ $case: "enterAbandoned", value: { cluster, epoch, nonce } });
    this.#tell(rollout, (sequence) => ({
      $case: "programEnded",
      value: {
        sequence,
        rollout,
        stage,
        attempt,
        epoch,
        outcome: ProgramOutcome.NEVER_BEGUN,
        step: "",
        at: undefined,
      } as ProgramEnded,
    }));
  }

  async #observe(message: Program): Promise<void> {
    const life = this.#life;
    await this.#world.clock.sleep(stepMs);
    if (!this.alive || life !== this.#life) return;
    this.#ended(message, ProgramOutcome.DONE, "");
  }

  async #run(life: number): Promise<void> {
    const program = this.disk.program;
    if (program === undefined) return;
    for (const { id, class: stepClass } of program.message.steps) {
      if (program.done.includes(id)) continue;
      const resumed = program.started === id;
      program.started = id;
      this.#world.wrote(this);
      if (life !== this.#life) return;
      this.#step(program.message, id, StepPhase.STARTED);
      const changes = stepClass !== StepClass.OBSERVE;
      // after a death the probe decides: what the world shows as done is not started again
      const found = changes && this.#isDone(id);
      if (changes && !found) {
        const key = `${program.stage}#${program.attempt} ${id}`;
        if (!resumed || !this.node.starts.has(key))
          this.node.starts.set(key, (this.node.starts.get(key) ?? 0) + 1);
      }
      await this.#world.clock.sleep(stepMs);
      if (life !== this.#life) return;
      if (this.node.failsAt === id) {
        this.#step(program.message, id, StepPhase.FAILED);
        return this.#finish(program.message, ProgramOutcome.FAILED, id);
      }
      if (!found) this.#do(id);
      program.done.push(id);
      this.#world.wrote(this);
      if (life !== this.#life) return;
      this.#step(program.message, id, found ? StepPhase.FOUND_DONE : StepPhase.DONE);
    }
    this.#finish(program.message, ProgramOutcome.DONE, "");
  }

  #isDone(id: string): boolean {
    if (id === "stop") return !this.node.up;
    if (id === "upgrade") return this.node.version === "2";
    return id === "start" ? this.node.up : false;
  }

  #do(id: string): void {
    if (id === "stop") this.node.up = false;
    if (id === "upgrade") this.node.version = "2";
    if (id === "start") this.node.up = true;
    this.#world.look();
  }

  #finish(message: Program, outcome: ProgramOutcome, step: string): void {
    if (this.disk.program !== undefined) {
      this.#setStanding("ended");
      this.disk.program.outcome = outcome;
    }
    this.#ended(message, outcome, step);
    this.#world.wrote(this);
  }

  #setStanding(standing: FencedProgram["standing"]): void {
    if (this.disk.program !== undefined) this.disk.program = { ...this.disk.program, standing };
  }

  #ended({ rollout, stage, attempt, epoch }: Program, outcome: ProgramOutcome, step: string): void {
    const why = outcome === ProgramOutcome.FAILED ? { failure: { code: "tiny.failed", facts: {} } } : {};
    this.#tell(rollout, (sequence) => ({
      $case: "programEnded",
      value: {
        sequence,
        rollout,
        stage,
        attempt,
        epoch,
        outcome,
        step,
        at: undefined,
        ...why,
      } as ProgramEnded,
    }));
  }

  #step({ rollout, stage, attempt }: Program, step: string, phase: StepEvent["phase"]): void {
    this.#tell(rollout, (sequence) => ({
      $case: "stepEvent",
      value: {
        sequence,
        rollout,
        stage,
        attempt,
        step,
        phase,
        at: undefined,
        elapsedMs: stepMs,
        outputs: {},
        tail: "",
        runner: "",
      } as StepEvent,
    }));
  }

  #tell(rollout: string, make: (sequence: number) => In): void {
    this.disk.sequence += 1;
    const said = make(this.disk.sequence);
    this.disk.events.push({ sequence: this.disk.sequence, rollout, said });
    this.#say(said);
  }

  #say(message: In): void {
    const to = this.#world.coordinator;
    this.#world.clock.after(
      latencyMs,
      () =>
        to !== undefined && to === this.#world.coordinator && this.alive && to.hear(this.node.name, message),
    );
  }
}

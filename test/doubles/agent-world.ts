/**
 * An agent's surroundings in memory: a disk that forgets, a host whose tools run on through the agent's death and
 * not through a power loss, and a coordinator that grants, refuses or stays silent. Time is virtual.
 */
import { z } from "zod";
import { Agent } from "#agent/agent.ts";
import type { ToolOrder, ToolRunner, ToolState, ToolTrace } from "#agent/host/tool-runner.ts";
import type { DeedTools } from "#agent/program/deed-context.ts";
import type { GroupMark } from "#agent/program/entry.ts";
import { Ledger } from "#agent/program/ledger.ts";
import { LockSide } from "#agent/program/lock-side.ts";
import { Runner } from "#agent/program/runner.ts";
import { Tools } from "#agent/program/tools.ts";
import { Undoer } from "#agent/program/undo.ts";
import { vocabularyOf } from "#agent/program/vocabulary.ts";
import { Watches } from "#agent/program/watches.ts";
import { type Host, verb } from "#agent/verb.ts";
import type { Clock } from "#proto/common/clock.ts";
import { failure } from "#proto/common/failure.ts";
import type { ConnectRequest } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import { ForgetfulDisk } from "#test/doubles/disk/forgetful-disk.ts";
import { VirtualClock } from "#test/flow/engine/virtual-clock.ts";

type Sent = NonNullable<ConnectRequest["message"]>;

interface HostTool {
  starts: number;
  state: "waiting" | "running" | "ended" | "lost";
}

export class AgentWorld {
  readonly clock = new VirtualClock();
  readonly disk = new ForgetfulDisk();
  /** By name, over all lives. */
  readonly tools = new Map<string, HostTool>();
  /** What the steps have left on the host: done, or half done. */
  readonly effects = new Map<string, "done" | "half">();
  /** Starts of changes in their order, with what the lock said at that moment. */
  readonly starts: { readonly step: string; readonly mayRun: boolean }[] = [];
  /** Undos in their order, in virtual time. */
  readonly undone: { readonly name: string; readonly atMs: number }[] = [];
  readonly random: () => number;
  bootId = "boot-1";
  /** What the host's wall clock was set forward by, or back. */
  wallShiftMs = 0;
  mayRun = false;
  #pids = 100;

  constructor(random: () => number) {
    this.random = random;
  }

  begin(name: string, step: string, forMs: number): void {
    const tool = this.tools.get(name) ?? { starts: 0, state: "waiting" };
    tool.starts += 1;
    tool.state = "running";
    this.tools.set(name, tool);
    this.starts.push({ step, mayRun: this.mayRun });
    this.clock.after(forMs, () => {
      if (tool.state !== "running") return;
      tool.state = "ended";
      this.effects.set(step, "done");
    });
  }

  /** The plug is pulled: what ran has come somewhere, and nobody can say where. */
  powerLoss(): void {
    this.bootId = `boot-${Math.floor(this.random() * 1e9)}`;
    for (const [name, tool] of this.tools) {
      if (tool.state !== "running") continue;
      tool.state = "lost";
      const step = name.split("-").at(-2) ?? "";
      const luck = this.random();
      if (luck < 0.3) this.effects.set(step, "done");
      else if (luck < 0.6) this.effects.set(step, "half");
    }
  }

  nextPid(): number {
    this.#pids += 1;
    return this.#pids;
  }
}

/** One life of the agent, from a start to a crash. */
export class Life {
  readonly sent: Sent[] = [];
  readonly ledger: Ledger;
  readonly agent: Agent;
  #alive = true;

  private constructor(world: AgentWorld, ledger: Ledger, grants: () => "yes" | "no" | "silence") {
    this.ledger = ledger;
    const { clock, bootId } = world;
    const wall: Clock = {
      now: () => clock.now() + world.wallShiftMs,
      monotonicMs: () => clock.monotonicMs(),
      after: (ms, callback) => clock.after(ms, callback),
      sleep: (ms, signal) => clock.sleep(ms, signal),
    };
    const time = { clock: wall, bootId, uptimeMs: () => clock.monotonicMs() };
    const send = (message: Sent): boolean => {
      if (!this.#alive) return false;
      this.sent.push(message);
      if (message.$case === "enterRequest") this.#answer(world, message.value, grants());
      return true;
    };
    const host: Host = {
      path: (path) => path,
      clock,
      stateDir: "/none",
      look: () => Promise.reject(new Error("no looks here")),
    };
    const runner = this.#runnerIn(world);
    const tools = new Tools({ ledger, time, preferred: runner, runners: [runner] });
    const fetchArtefact = () => Promise.resolve({ failure: failure("artefact.not-fetched") });
    const deeds: DeedTools = {
      vocabulary: vocabularyOf(verbsOf(world)),
      host,
      tools,
      time,
      fetchArtefact,
      leaving: new AbortController().signal,
    };
    const onError = (error: unknown) => {
      throw error;
    };
    const lock = new LockSide({ ledger, clock, send, attached: () => true });
    const undoer = new Undoer({ ledger, deeds, lock, onError });
    const programs = new Runner({ ledger, deeds, lock, undoer });
    const watches = new Watches({ ledger, deeds, onError });
    const self = { node: "db1", agentVersion: "0", contract: 1, bootId, engine: "paper" };
    this.agent = new Agent({
      discardParcels: () => Promise.resolve(),
      self,
      ledger,
      deeds,
      lock,
      runner: programs,
      undoer,
      watches,
      send,
      takeHealth: () => undefined,
      onFatal: onError,
    });
  }

  /** undefined when it dies before its journal is open. */
  static async start(world: AgentWorld, grants: () => "yes" | "no" | "silence"): Promise<Life | undefined> {
    const opening = Ledger.open({
      disk: world.disk,
      path: "journal",
      clock: world.clock,
      makeStateId: () => "s",
    });
    let ledger: Ledger | undefined;
    let over = false;
    const opened = opening.then((outcome) => {
      if (!outcome.ok) throw new Error(outcome.failure.code);
      ledger = outcome.value.ledger;
      over = true;
    });
    for (let round = 0; round < 40 && !over; round += 1)
      await Promise.race([opened, new Promise((resolve) => setImmediate(resolve))]);
    return ledger === undefined ? undefined : new Life(world, ledger, grants);
  }

  die(): void {
    this.#alive = false;
  }

  #answer(
    world: AgentWorld,
    ticket: { cluster: string; epoch: number; nonce: string },
    answer: "yes" | "no" | "silence",
  ): void {
    if (answer === "silence") return;
    world.clock.after(10, () => {
      if (!this.#alive) return;
      const { cluster, epoch, nonce } = ticket;
      if (answer === "yes") world.mayRun = true;
      if (answer === "yes") this.agent.receive({ $case: "enterGranted", value: { cluster, epoch, nonce } });
      else this.agent.receive({ $case: "enterRefused", value: { cluster, epoch, nonce } });
    });
  }

  #runnerIn(world: AgentWorld): ToolRunner {
    const dead = () => new Promise<never>(() => undefined);
    return {
      kind: "group",
      discard: () => Promise.resolve(),
      tail: () => Promise.resolve(""),
      start: async ({ name, argv }: ToolOrder, marked: (mark: GroupMark) => Promise<void>) => {
        if (!this.#alive) return dead();
        await marked({ pid: world.nextPid(), startTicks: 1 });
        if (!this.#alive) return dead();
        world.begin(name, argv[0], Number(argv[1]));
        return { started: true };
      },
      look: ({ name, mark }: ToolTrace): Promise<ToolState> => {
        const tool = world.tools.get(name);
        if (mark === undefined || tool === undefined) return Promise.resolve({ state: "never" });
        if (tool.state === "ended") return Promise.resolve({ state: "ended", exitCode: 0, result: "exited" });
        return Promise.resolve({ state: tool.state === "running" ? "running" : "lost" });
      },
      end: () => Promise.resolve(),
      release: () => Promise.resolve(),
    };
  }
}

function verbsOf(world: AgentWorld) {
  const args = z.object({ name: z.string(), forMs: z.coerce.number() });
  return [
    verb({
      name: "paper.tool",
      class: "reversible",
      args,
      run: async (context, { name, forMs }) => {
        const run = await context.tool({ argv: [name, String(forMs)] });
        return run.result === "exited"
          ? { result: "done", outputs: {} }
          : { result: "unknown", failure: failure("paper.lost") };
      },
      probe: (_, { name }) => {
        const effect = world.effects.get(name);
        if (effect === "half")
          return Promise.resolve({ state: "unknown", failure: failure("paper.half-done") });
        return Promise.resolve(effect === "done" ? { state: "done", outputs: {} } : { state: "not-done" });
      },
    }),
    verb({
      name: "paper.remove",
      class: "reversible",
      args: z.object({ name: z.string() }),
      run: (_, { name }) => {
        world.undone.push({ name, atMs: world.clock.monotonicMs() });
        world.effects.delete(name);
        return Promise.resolve({ result: "done", outputs: {} });
      },
      probe: (_, { name }) =>
        Promise.resolve(world.effects.has(name) ? { state: "not-done" } : { state: "done", outputs: {} }),
    }),
  ];
}

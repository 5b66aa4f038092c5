/** Snapshots of many agents, and what an idle one costs: the room against a bare peer, in the same run. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { figure, heading, kb, median, ms } from "./print.ts";
import { residentBytes } from "./process.ts";
import { type Asked, startPeer, startRoom } from "./room.ts";

const sizes = [
  { agents: 1_000, budget: "150 ms", rounds: 7 },
  { agents: 5_000, budget: "1 s", rounds: 3 },
] as const;

/** Agents in a process of their own, so that both ends have a processor. */
class Crowd {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  constructor(address: string) {
    const program = fileURLToPath(new URL("./agents.ts", import.meta.url));
    this.#child = spawn(process.execPath, [...process.execArgv, program, address], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#reader = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  async grow(agents: number): Promise<void> {
    this.#child.stdin?.write(`${agents}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true || Number(value) !== agents) throw new Error(`the agents ended: ${value ?? ""}`);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#reader.close();
    this.#child.kill("SIGKILL");
    await closed;
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return performance.now() - beganMs;
}

async function used(): Promise<{ readonly heap: number; readonly resident: number }> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return { heap: heapUsed + external, resident: await residentBytes(process.pid) };
}

/** One end with its crowd, and what each agent that was added since the last look costs. */
class Ground {
  readonly #asked: Asked;
  readonly #crowd: Crowd;
  readonly #late: Promise<never>;
  #agents = 1;

  constructor(asked: Asked, signal: AbortSignal) {
    this.#asked = asked;
    this.#crowd = new Crowd(asked.address);
    this.#late = new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("late")), { once: true });
    });
    this.#late.catch(() => this.#crowd.end());
  }

  begin(): Promise<void> {
    return this.#crowd.grow(this.#agents);
  }

  async measure(agents: number, rounds: number) {
    const before = await used();
    await this.#crowd.grow(agents);
    const added = agents - this.#agents;
    this.#agents = agents;
    const took: number[] = [];
    await this.#ask(agents);
    for (let round = 0; round < rounds; round += 1) took.push(await timed(() => this.#ask(agents)));
    const after = await used();
    return {
      tookMs: median(took),
      heapPerAgent: (after.heap - before.heap) / added,
      residentPerAgent: (after.resident - before.resident) / added,
    };
  }

  async end(): Promise<void> {
    await this.#crowd.end();
    this.#asked.stop();
  }

  #ask(agents: number): Promise<void> {
    return Promise.race([this.#asked.ask(agents), this.#late]);
  }
}

export async function benchFleetSize(signal: AbortSignal): Promise<void> {
  heading(
    "Fleet size (simulated agents in other processes; one connection and one stream each, real service)",
  );
  const room = new Ground(await startRoom(), signal);
  const peer = new Ground(await startPeer(), signal);
  try {
    await Promise.all([room.begin(), peer.begin()]);
    for (const { agents, budget, rounds } of sizes) {
      const ours = await room.measure(agents, rounds);
      figure(`snapshot of ${agents} agents, median`, ms(ours.tookMs), budget);
      figure("  coordinator, per idle agent, live objects", kb(ours.heapPerAgent), "60 KB in plain text");
      figure("  coordinator, per idle agent, resident after snapshots", kb(ours.residentPerAgent));
      const bare = await peer.measure(agents, rounds);
      const times = (ours.tookMs / bare.tookMs).toFixed(2);
      figure("  bare streams with the same answers: all answers in", `${ms(bare.tookMs)} (${times} ×)`);
      figure(
        "  bare streams: live objects, resident",
        `${kb(bare.heapPerAgent)}, ${kb(bare.residentPerAgent)}`,
      );
    }
  } finally {
    await Promise.all([room.end(), peer.end()]);
  }
}

/** Types the product's commands: what the tests know of a rollout they hear from the product's own command line. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";

const startLimitMs = 60_000;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Follow {
  readonly events: RolloutEvent[];
  /** Exit code and last words of the command. */
  readonly ended: Promise<Ran>;
}

export abstract class Operator {
  /** Holds each agent's file as `agent-<node>.yaml`, its state as `agent-<node>`, packages as `package-<version>`. */
  readonly folder: string;
  readonly dist: string;
  readonly #followers = new Set<ChildProcess>();

  constructor(folder: string, dist: string) {
    this.folder = folder;
    this.dist = dist;
  }

  /** Of every coordinator. */
  abstract get addresses(): readonly string[];

  /** How many agents there are. */
  abstract get agents(): number;

  /** Runs a command of the product to its end; asks every coordinator unless told otherwise. */
  async cli(args: readonly string[], addresses = this.addresses): Promise<Ran> {
    const child = this.#command(args, addresses);
    let stdout = "";
    child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
    return { ...(await endOf(child)), stdout };
  }

  async json<T>(args: readonly string[], addresses = this.addresses): Promise<T> {
    const { code, stdout, stderr } = await this.cli([...args, "-o", "json"], addresses);
    if (stdout === "") throw new Error(`${args.join(" ")} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  async must(...args: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await this.cli(args);
    if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${stderr}\n${stdout}`);
  }

  /** A command that follows a rollout (apply, retry, watch): each event is heard as it comes, whoever leads by then. */
  follow(args: readonly string[], hear: (event: RolloutEvent) => void = () => {}): Follow {
    const child = this.#command([...args, "-o", "ndjson"], this.addresses);
    this.#followers.add(child);
    const events: RolloutEvent[] = [];
    let stdout = "";
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on("line", (line) => {
        stdout += `${line}\n`;
        const told = JSON.parse(line) as RolloutEvent;
        events.push(told);
        hear(told);
      });
    const ended = endOf(child).then((end) => {
      this.#followers.delete(child);
      return { ...end, stdout };
    });
    return { events, ended };
  }

  async until(what: string, holds: () => Promise<boolean>, limitMs = startLimitMs): Promise<void> {
    for (const endMs = Date.now() + limitMs; Date.now() < endMs; await sleep(100)) if (await holds()) return;
    throw new Error(`not within ${limitMs} ms: ${what}`);
  }

  untilAttached(addresses = this.addresses): Promise<void> {
    return this.until("all agents are attached", async () => {
      const { code, stdout } = await this.cli(["node", "list", "-o", "json"], addresses);
      if (code !== 0) return false;
      const { clusters } = JSON.parse(stdout) as FleetShown;
      const nodes = clusters.flatMap((cluster) => cluster.nodes);
      return nodes.length === this.agents && nodes.every(({ attached }) => attached);
    });
  }

  async versions(): Promise<readonly string[]> {
    const { clusters } = await this.json<FleetShown>(["node", "list"]);
    return clusters.flatMap(({ nodes }) => nodes.map(({ version, state }) => `${version} ${state}`));
  }

  async log(of: string): Promise<string> {
    return readFile(join(this.folder, `${of}.log`), "utf8").catch(() => "");
  }

  endFollowers(): void {
    for (const child of this.#followers) child.kill("SIGKILL");
  }

  #command(args: readonly string[], addresses: readonly string[]): ChildProcess {
    const argv = [join(this.dist, "lockkeeper"), ...args, "--coordinator", addresses.join(",")];
    return spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"] });
  }
}

async function endOf(child: ChildProcess): Promise<{ readonly code: number; readonly stderr: string }> {
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
  const code = await new Promise<number>((resolve) => child.on("close", (ended) => resolve(ended ?? 1)));
  return { code, stderr };
}

interface FleetShown {
  readonly clusters: readonly {
    readonly nodes: readonly {
      readonly attached: boolean;
      readonly version: string;
      readonly state: string;
    }[];
  }[];
}

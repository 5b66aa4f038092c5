/** A demo's processes on this machine: coordinator, agents and what is typed; started, watched and ended by pid. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "#test/doubles/host/create-host.ts";

export interface DemoPlace {
  readonly folder: string;
  /** Where lockkeeper, lockkeeper-agent and demo/ stand. */
  readonly dist: string;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const startLimitMs = 60_000;

export class DemoProcesses {
  readonly place: DemoPlace;
  readonly #children: ChildProcess[] = [];
  readonly #commands = new Set<ChildProcess>();
  #isOver = false;
  address = "";

  constructor(place: DemoPlace) {
    this.place = place;
  }

  async startCoordinator(): Promise<ChildProcess> {
    const { folder, dist } = this.place;
    const [port] = this.address === "" ? await freePorts(1) : [Number(this.address.split(":")[1])];
    this.address = `127.0.0.1:${port}`;
    const config = path.join(folder, "coordinator.yaml");
    const lines = [
      `listen: ${this.address}`,
      `stateDir: ${path.join(folder, "coordinator")}`,
      "name: demo",
      "lease: { length: 8s, beat: 1s }",
    ];
    await writeFile(config, `${lines.join("\n")}\n`);
    const argv = [path.join(dist, "lockkeeper"), "serve", "--config", config];
    const child = this.spawn("coordinator", argv, process.env);
    await this.#until("the coordinator leads", child, async () => (await this.cli("doctor")).code !== 11);
    return child;
  }

  async applyInventory(yaml: string): Promise<void> {
    const file = path.join(this.place.folder, "fleet.yaml");
    await writeFile(file, yaml);
    const applied = await this.cli("cluster", "apply", file);
    if (applied.code !== 0) throw new Error(`cluster apply: ${applied.stderr}`);
  }

  async untilAttached(): Promise<void> {
    await this.#until("all agents are attached", undefined, async () => {
      const { stdout, code } = await this.cli("node", "list", "-o", "json");
      if (code !== 0) return false;
      const fleet = JSON.parse(stdout) as {
        readonly clusters: readonly { readonly nodes: readonly { readonly attached: boolean }[] }[];
      };
      return fleet.clusters.flatMap(({ nodes }) => nodes).every(({ attached }) => attached);
    });
  }

  /** Runs a command of the product and gives back what it said. */
  async cli(...args: readonly string[]): Promise<Ran> {
    const child = this.#command(args, "pipe");
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      stdout += chunk.toString("utf8");
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      stderr += chunk.toString("utf8");
    });
    return { code: await codeOf(child), stdout, stderr };
  }

  /** Runs a command of the product for the audience: its words go straight to the screen. */
  show(...args: readonly string[]): Promise<number> {
    return codeOf(this.#command(args, "inherit"));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    for (const command of this.#commands) command.kill("SIGKILL");
    for (const child of [...this.#children].reverse()) await end(child);
  }

  spawn(name: string, argv: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    this.mustGoOn();
    const log = openSync(path.join(this.place.folder, `${name}.log`), "a");
    const child = spawn(process.execPath, [...argv], { stdio: ["ignore", log, log], env });
    closeSync(log);
    this.#children.push(child);
    return child;
  }

  /** A play that is interrupted comes here once more, while everything is being ended. */
  protected mustGoOn(): void {
    if (this.#isOver) throw new Error("the demo is over");
  }

  #command(args: readonly string[], words: "pipe" | "inherit"): ChildProcess {
    this.mustGoOn();
    const argv = [path.join(this.place.dist, "lockkeeper"), ...args, "--coordinator", this.address];
    const child = spawn(process.execPath, argv, { cwd: this.place.folder, stdio: ["ignore", words, words] });
    this.#commands.add(child);
    child.once("close", () => this.#commands.delete(child));
    return child;
  }

  async #until(what: string, child: ChildProcess | undefined, holds: () => Promise<boolean>): Promise<void> {
    for (const endMs = Date.now() + startLimitMs; Date.now() < endMs; await sleep(100)) {
      if (child !== undefined && child.exitCode !== null)
        throw new Error(`${what}: it ended with ${child.exitCode}: ${await this.#lastWords()}`);
      if (await holds()) return;
    }
    throw new Error(`not within a minute: ${what}`);
  }

  async #lastWords(): Promise<string> {
    const text = await readFile(path.join(this.place.folder, "coordinator.log"), "utf8").catch(() => "");
    return text.split("\n").slice(-5).join("\n");
  }
}

function codeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => child.on("close", (ended) => resolve(ended ?? 1)));
}

const endLimitMs = 8_000;

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const late = await Promise.race([closed.then(() => false), sleep(endLimitMs).then(() => true)]);
  if (late) child.kill("SIGKILL");
  if (late) await closed;
}

/** A process of the product under test: started, killed as kill -9 kills, ended by pid. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const endLimitMs = 10_000;

export class Process {
  readonly #argv: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  readonly #logFile: string;
  #child: ChildProcess | undefined;

  constructor(options: {
    readonly argv: readonly string[];
    readonly env?: NodeJS.ProcessEnv;
    readonly logFile: string;
  }) {
    this.#argv = options.argv;
    this.#env = options.env ?? process.env;
    this.#logFile = options.logFile;
  }

  get runs(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  start(): void {
    const log = openSync(this.#logFile, "a");
    this.#child = spawn(process.execPath, this.#argv, { stdio: ["ignore", log, log], env: this.#env });
    closeSync(log);
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.runs) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  async end(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.runs) return;
    const gone = once(child, "exit").then(() => true);
    child.kill("SIGTERM");
    if (!(await Promise.race([gone, sleep(endLimitMs, false)]))) await this.kill();
  }
}

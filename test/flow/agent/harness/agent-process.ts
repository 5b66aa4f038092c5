/** One agent process on a host of its own in a temporary folder, killed and started again at will. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { programFile } from "../../../../deploy/program-file.ts";

let bundled: Promise<string> | undefined;

/** Bundled once per test file, as the shipped agent is. */
function bundleAgent(): Promise<string> {
  bundled ??= makeBundle();
  return bundled;
}

async function makeBundle(): Promise<string> {
  const outfile = join(await mkdtemp(join(tmpdir(), "lockkeeper-bundle-")), "agent.mjs");
  await programFile(fileURLToPath(new URL("./paper-agent.ts", import.meta.url)), outfile);
  return outfile;
}

export class AgentProcess {
  readonly folder: string;
  readonly #bundle: string;
  #child: ChildProcess | undefined;
  #log = "";

  private constructor(folder: string, bundle: string) {
    this.folder = folder;
    this.#bundle = bundle;
  }

  static async create(coordinators: readonly string[]): Promise<AgentProcess> {
    const folder = await mkdtemp(join(tmpdir(), "lockkeeper-agent-"));
    await mkdir(join(folder, "host/data"), { recursive: true });
    const agent = new AgentProcess(folder, await bundleAgent());
    const settings = [
      "node: db1",
      `coordinators: [${coordinators.map((one) => `"${one}"`).join(", ")}]`,
      `stateDir: ${folder}/state`,
      `hostRoot: ${folder}/host`,
      "runner: group",
      "logLevel: debug",
      "engine: { kind: paper, settings: {} }",
    ];
    await writeFile(agent.config, `${settings.join("\n")}\n`);
    return agent;
  }

  get config(): string {
    return join(this.folder, "agent.yaml");
  }

  get log(): string {
    return this.#log;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** `dieAt`: see deadly-disk.ts. */
  start(dieAt?: string): void {
    const child = spawn(process.execPath, [this.#bundle, "run", "--config", this.config], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...(dieAt === undefined ? {} : { PAPER_DIE_AT: dieAt }) },
    });
    child.stderr.on("data", (chunk: Buffer) => {
      this.#log += chunk.toString();
    });
    this.#child = child;
  }

  /** Runs another command of the agent's program beside it. */
  async command(
    ...args: readonly string[]
  ): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
    const child = spawn(process.execPath, [this.#bundle, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, stdout, stderr };
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }

  async ended(): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return child?.exitCode ?? null;
    const [code] = (await once(child, "exit")) as [number | null];
    return code;
  }

  /** Lines of a file of the host's data folder. */
  async lines(name: string): Promise<readonly string[]> {
    const text = await readFile(join(this.folder, "host/data", name), "utf8").catch(() => "");
    return text.split("\n").filter((line) => line !== "");
  }

  write(name: string, text: string): Promise<void> {
    return writeFile(join(this.folder, "host/data", name), text);
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

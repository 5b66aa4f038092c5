/** Types the documents' commands into one shell, as a reader would, and reads what they end with. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ProcessFleet } from "#test/flow/processes/harness/fleet.ts";
import type { Operator } from "#test/flow/processes/harness/operator.ts";
import { fromVersion, toVersion } from "#test/flow/processes/harness/site.ts";

export interface Typed {
  readonly code: number;
  readonly said: string;
}

const endMark = "--typed--";

export class Typist implements AsyncDisposable {
  readonly #shell: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(shell: ChildProcess) {
    this.#shell = shell;
    if (shell.stdout === null) throw new Error("no shell");
    this.#lines = createInterface({ input: shell.stdout })[Symbol.asyncIterator]();
  }

  /** A folder with what the documents speak of: both programs on PATH, the package, the inventory. */
  static async sitDown(fleet: ProcessFleet, dist: string, inventory: string): Promise<Typist> {
    const folder = await deskOf(fleet);
    for (const version of [fromVersion, toVersion]) {
      const packages = join(fleet.folder, `package-${version}`);
      const tarball = (await readdir(packages)).find((name) => name.endsWith(".tar.gz")) ?? "";
      await copyFile(join(packages, tarball), join(folder, `KWDB-${version}.tar.gz`));
    }
    await writeFile(join(folder, "frozen.yaml"), `${inventory.trimEnd()}\n    freeze: end of quarter\n`);
    const typist = await Typist.at(fleet, inventory);
    const config = join(fleet.folder, "agent-db2.yaml");
    const agent = join(dist, "lockkeeper-agent");
    await program(
      join(folder, "bin"),
      "lockkeeper-agent",
      `"${process.execPath}" "${agent}" "$@" --config "${config}"`,
    );
    return typist;
  }

  /** A desk with the coordinator's program on PATH, and the inventory as fleet.yaml. */
  static async at(fleet: Operator, inventory: string): Promise<Typist> {
    const folder = await deskOf(fleet);
    const bin = join(folder, "bin");
    await program(bin, "lockkeeper", `"${process.execPath}" "${join(fleet.dist, "lockkeeper")}" "$@"`);
    await writeFile(join(folder, "fleet.yaml"), inventory);
    const env = {
      ...process.env,
      PATH: `${bin}:${process.env["PATH"] ?? ""}`,
      LOCKKEEPER_COORDINATOR: fleet.addresses.join(","),
    };
    return new Typist(spawn("bash", ["--norc"], { cwd: folder, env, stdio: ["pipe", "pipe", "ignore"] }));
  }

  async type(command: string): Promise<Typed> {
    this.#shell.stdin?.write(`{ ${command}\n} 2>&1 < /dev/null\necho "${endMark} $?"\n`);
    const said: string[] = [];
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`the shell ended at: ${command}\n${said.join("\n")}`);
      if (value.startsWith(endMark))
        return { code: Number(value.slice(endMark.length)), said: said.join("\n") };
      said.push(value);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#shell.once("exit", () => resolve()));
    this.#shell.stdin?.end();
    this.#shell.kill("SIGKILL");
    await ended;
  }
}

async function deskOf({ folder }: Operator): Promise<string> {
  const desk = join(folder, "desk");
  await mkdir(join(desk, "bin"), { recursive: true });
  return desk;
}

async function program(bin: string, name: string, line: string): Promise<void> {
  const file = join(bin, name);
  await writeFile(file, `#!/bin/sh\nexec ${line}\n`);
  await chmod(file, 0o755);
}

/** The README's inventory with the addresses of the stand-ins; its window would keep the test waiting for the night. */
export async function inventoryOf(fleet: ProcessFleet, readme: string): Promise<string> {
  const text = await readFile(readme, "utf8");
  const yaml = /```yaml\n(# schema: inventory\n[\s\S]*?)```/.exec(text)?.[1] ?? "";
  const placed = fleet.hosts.reduce((all, { options: { name, ip, ports } }) => {
    const line = new RegExp(`^( *${name}: ){ address: [^}]*}$`, "m");
    return all.replace(line, `$1{ address: "${ip}:${ports.sql}" }`);
  }, yaml);
  return placed.replace(/^ {4}windows: .*$/m, "    gates: { every: 250ms, dwell: 1s, limit: 2m }");
}

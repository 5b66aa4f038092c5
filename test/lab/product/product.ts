// The whole product in a lab, whatever its engine: a coordinator with a NATS of its own at our side of the lab's
// network, an agent on each host as the unit that we ship, and the command line as an operator types it.
import { access, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { FleetView, LockView, RolloutView } from "#coordinator/domain/views.ts";
import { natsBinary } from "#test/contract/nats/server.ts";
import { type Host, type Lab, type RunResult, type Started, until } from "../harness/index.ts";

/** What the agent's own file on a host says. */
export interface AgentPlace {
  readonly host: Host;
  /** As in the inventory. */
  readonly node: string;
  /** The file's `engine`, as YAML flow. */
  readonly engine: string;
}

/** Processes of the product, each of which may die. */
export type Victim = "coordinator" | "agent" | "nats-server";

const repository = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const cliLimitMs = 60_000;
const stateDir = "/var/lib/lockkeeper-agent";

export abstract class ProductFleet implements AsyncDisposable {
  readonly lab: Lab;
  readonly address: string;
  coordinator: Started | undefined;

  constructor(lab: Lab) {
    this.lab = lab;
    this.address = `${lab.ip}:7440`;
  }

  /** The cluster that commands are about; of two, the one that a rollout begins with. */
  abstract readonly clusterName: string;

  /** Checks that a person answers for with a word, on each `apply`. */
  abstract readonly acknowledged: readonly string[];

  abstract get hosts(): readonly Host[];

  get planFile(): string {
    return this.lab.file("plan.json");
  }

  async startCoordinator(): Promise<void> {
    const config = this.lab.file("coordinator.yaml");
    const lines = [
      `listen: "${this.address}"`,
      "insecure: true",
      "name: lab",
      `stateDir: ${this.lab.file("coordinator")}`,
      `nats: { binary: ${natsBinary()} }`,
    ];
    await writeFile(config, `${lines.join("\n")}\n`);
    const argv = [process.execPath, program("lockkeeper"), "serve", "--config", config];
    const started = this.lab.start(argv, { outputFile: this.lab.file("coordinator.log") });
    this.coordinator = started;
    await until("the coordinator leads", async () => {
      if (!started.isRunning) throw new Error(`the coordinator ended: ${started.output().slice(-2000)}`);
      return (await this.cli("doctor")).code !== 11;
    });
  }

  /** Puts the shipped unit, the built program and its file on the host, and starts it. */
  async placeAgent({ host, node, engine }: AgentPlace): Promise<void> {
    const [agent, unit] = await Promise.all([
      readFile(program("lockkeeper-agent")),
      readFile(repository("deploy/systemd/lockkeeper-agent.service")),
    ]);
    await host.write("/usr/lib/lockkeeper/package.json", '{"type":"module"}\n');
    await host.write("/usr/lib/lockkeeper/lockkeeper-agent", agent, "0755");
    await host.must(["ln", "-sf", "/usr/lib/lockkeeper/lockkeeper-agent", "/usr/bin/lockkeeper-agent"]);
    await host.write("/etc/systemd/system/lockkeeper-agent.service", unit);
    const lines = [
      `node: ${node}`,
      `coordinators: ["${this.address}"]`,
      "insecure: true",
      `stateDir: ${stateDir}`,
      "runner: unit",
      `engine: ${engine}`,
    ];
    await host.write("/etc/lockkeeper/agent.yaml", `${lines.join("\n")}\n`);
    await host.must(["systemctl", "daemon-reload"]);
    await host.must(["systemctl", "enable", "--quiet", "--now", "lockkeeper-agent"]);
  }

  /** Gives the coordinator an inventory of these clusters, each as the lines of its entry. */
  async applyClusters(clusters: Readonly<Record<string, readonly string[]>>): Promise<void> {
    const entries = Object.entries(clusters).flatMap(([name, lines]) => [
      `  ${name}:`,
      ...lines.map((line) => `    ${line}`),
    ]);
    const file = this.lab.file("fleet.yaml");
    await writeFile(file, `clusters:\n${entries.join("\n")}\n`);
    await this.must("cluster", "apply", file);
  }

  async untilAttached(): Promise<void> {
    await until("all agents are attached", async () => {
      const list = await this.cli("node", "list", "-o", "json");
      if (list.code !== 0) return false;
      const { clusters } = JSON.parse(list.stdout) as FleetView;
      return clusters.flatMap(({ nodes }) => nodes).every(({ attached }) => attached);
    });
  }

  /** Runs a command of the product to its end, as an operator at the coordinator's side. */
  cli(...words: readonly string[]): Promise<RunResult> {
    return this.longCli(cliLimitMs, ...words);
  }

  longCli(timeoutMs: number, ...words: readonly string[]): Promise<RunResult> {
    const argv = [process.execPath, program("lockkeeper"), ...words, "--coordinator", this.address];
    return this.lab.run(argv, { timeoutMs });
  }

  async must(...words: readonly string[]): Promise<string> {
    const result = await this.cli(...words);
    if (result.code === 0) return result.stdout;
    throw new Error(`lockkeeper ${words.join(" ")}: ${await this.explained(result)}`);
  }

  async json<T>(...words: readonly string[]): Promise<T> {
    return JSON.parse(await this.must(...words, "-o", "json")) as T;
  }

  /** What a command said, with the last words of the coordinator and of the agents: for a test that fails. */
  async explained({ code, stdout, stderr }: RunResult): Promise<string> {
    const standing = this.coordinator?.isRunning === true ? "runs" : "has ended";
    const said = [
      `${code}\n${stdout}${stderr}`,
      `coordinator ${standing}:`,
      this.coordinator?.output() ?? "",
    ];
    for (const host of this.hosts.filter(({ isOn }) => isOn)) {
      const words = await host.journal({ unit: "lockkeeper-agent" });
      const own = words.filter(({ fields }) => !/^(sudo|runuser)$/.test(fields["SYSLOG_IDENTIFIER"] ?? ""));
      said.push(
        `${host.name}:`,
        ...own.slice(-15).map(({ at, message }) => `${at.toISOString()} ${message}`),
      );
    }
    return said.join("\n");
  }

  apply(limitMs = 240_000, ...more: readonly string[]): Promise<RunResult> {
    return this.applyFile(this.planFile, limitMs, ...more);
  }

  /** Applies a plan; the command follows to the rollout's end or stop. */
  applyFile(file: string, limitMs = 240_000, ...more: readonly string[]): Promise<RunResult> {
    const acknowledged = this.acknowledged.flatMap((check) => ["--ack", check]);
    const reason = ["--reason", "the lab's data is worth nothing"];
    return this.longCli(limitMs, "apply", file, "-y", ...acknowledged, ...reason, ...more);
  }

  rollout(): Promise<RolloutView> {
    return this.json<RolloutView>("status", this.clusterName);
  }

  async lock(cluster = this.clusterName): Promise<LockView> {
    return this.json<LockView>("lock", "show", cluster);
  }

  /** SIGKILL to one of the product's processes; an agent is that of the host. */
  async kill(victim: Victim, host: Host): Promise<void> {
    if (victim === "coordinator") {
      this.coordinator?.kill("SIGKILL");
      await this.coordinator?.ended;
    } else if (victim === "nats-server") process.kill(await this.#natsPid(), "SIGKILL");
    else {
      const shown = ["systemctl", "show", "--property", "MainPID", "--value", "lockkeeper-agent"];
      await host.must(["kill", "-KILL", (await host.must(shown)).trim()]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.coordinator?.[Symbol.asyncDispose]();
    await this.lab[Symbol.asyncDispose]();
  }

  /** Process id of the nats-server that the coordinator keeps. */
  async #natsPid(): Promise<number> {
    const running = await readFile(this.lab.file("coordinator/nats/running.json"), "utf8");
    return (JSON.parse(running) as { readonly pid: number }).pid;
  }
}

function program(name: string): string {
  return repository(`dist/${name}`);
}

/** Throws with the command to type where the programs that a fleet runs are not built. */
export async function mustBeBuilt(): Promise<void> {
  await access(program("lockkeeper")).catch(() => {
    throw new Error("dist/lockkeeper is not there: run make build");
  });
}

// One KWDB node on a real host, asked the way an operator would ask it.
import type { Host, RunResult } from "../harness/index.ts";

/** One row of `kwbase node status`. */
export interface NodeRow {
  readonly id: string;
  readonly address: string;
  readonly build: string;
  readonly startedAt: string;
  readonly isAvailable: boolean;
  readonly isLive: boolean;
}

export const PORTS = { sql: 26257, http: 8080, brpc: 27257 } as const;

export class KwdbNode {
  readonly host: Host;
  readonly #secure: boolean;

  constructor(host: Host, secure = false) {
    this.host = host;
    this.#secure = secure;
  }

  kwbase(...words: readonly string[]): Promise<RunResult> {
    const address = `--host=127.0.0.1:${PORTS.sql}`;
    const security = this.#secure ? "--certs-dir=/etc/kaiwudb/certs" : "--insecure";
    return this.host.exec(["/usr/local/kaiwudb/bin/kwbase", ...words, security, address]);
  }

  /** What this node says of every node; empty when it does not answer. */
  async status(): Promise<readonly NodeRow[]> {
    const answer = await this.kwbase("node", "status", "--format=csv");
    return answer.code === 0 ? parseStatus(answer.stdout) : [];
  }

  /** HTTP status of the readiness page; 0 when nothing answers. */
  async readyStatus(): Promise<number> {
    const page = `${this.#secure ? "https" : "http"}://127.0.0.1:${PORTS.http}/health?ready=1`;
    // its certificate is for its peers
    const env = { NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    const answer = await this.host.exec(["node", "--eval", READY, page], { timeoutMs: 5_000, env });
    return Number(answer.stdout.trim() || "0");
  }

  /** Main process of the service by systemd's account; 0 when there is none. */
  async mainPid(): Promise<number> {
    const shown = await this.host.must(["systemctl", "show", "--property", "MainPID", "--value", "kaiwudb"]);
    return Number(shown.trim());
  }

  /** First line of the installed `.version`, the version that deploy.sh goes by. */
  async versionFile(): Promise<string> {
    return (await this.host.read("/etc/kaiwudb/info/.version"))?.split("\n")[0] ?? "";
  }

  /** Version of the package that dpkg has as installed; empty when it has none. */
  async packageVersion(name: "kaiwudb-server" | "kaiwudb-libcommon"): Promise<string> {
    const status = (await this.host.exec(["dpkg", "--status", name])).stdout;
    const isInstalled = /^Status: install ok installed$/m.test(status);
    return isInstalled ? (/^Version: (.*)$/m.exec(status)?.[1] ?? "") : "";
  }

  /** Sets the stand-in's faults on this host, in place of those before. */
  async faults(values: Readonly<Record<string, string>>): Promise<void> {
    const lines = Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
    await this.host.write("/etc/kwdb-double/faults", lines.join(""), "0666");
  }
}

const READY = "fetch(process.argv[1]).then((page) => console.log(page.status), () => console.log(0))";

/** Reads the csv of `kwbase node status` by its header's names. */
function parseStatus(csv: string): readonly NodeRow[] {
  const [header = "", ...lines] = csv.trim().split("\n");
  const names = header.split(",");
  return lines.map((line) => {
    const cells = line.split(",");
    const cell = (name: string) => cells[names.indexOf(name)] ?? "";
    return {
      id: cell("id"),
      address: cell("address"),
      build: cell("build"),
      startedAt: cell("started_at"),
      isAvailable: cell("is_available") === "true",
      isLive: cell("is_live") === "true",
    };
  });
}

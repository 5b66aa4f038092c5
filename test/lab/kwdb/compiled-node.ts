// One node compiled from source, asked the way an operator would ask it.
import type { RunResult } from "../harness/index.ts";
import { KwdbNode, PORTS } from "./node.ts";

export const folder = "/opt/kwdb";

/** Server processes of the folder's program. */
const servers = `for process in /proc/[0-9]*; do
  [ "$(readlink $process/exe)" = ${folder}/bin/kwbase ] || continue
  tr '\\0' '\\n' <$process/cmdline | sed -n 2p | grep -q ^start && echo "\${process#/proc/}"
done 2>/dev/null`;

export class CompiledNode extends KwdbNode {
  override kwbase(...words: readonly string[]): Promise<RunResult> {
    const argv = [`${folder}/bin/kwbase`, ...words, "--insecure", `--host=127.0.0.1:${PORTS.sql}`];
    return this.host.exec(argv, { env: { LD_LIBRARY_PATH: `${folder}/lib` } });
  }

  override async mainPid(): Promise<number> {
    const found = await this.host.exec(["sh", "-c", servers]);
    return Number(found.stdout.trim() || "0");
  }

  /** What would be started now. */
  override async versionFile(): Promise<string> {
    return /^KaiwuDB Version:\s+(\S+)/m.exec((await this.kwbase("version")).stdout)?.[1] ?? "";
  }

  async folders(): Promise<readonly string[]> {
    return (await this.host.must(["ls", "/opt"])).trim().split("\n");
  }

  /** Of its process, as /proc tells it. */
  async told(what: "environ" | "limits" | "cmdline" | "cgroup" | "status"): Promise<string> {
    return this.host.must(["cat", `/proc/${await this.mainPid()}/${what}`]);
  }

  /** Kills the agent as soon as the condition holds, and says what was there then. */
  async killAgentWhen(condition: "stopped" | "exchanged"): Promise<{ kept: boolean; runs: boolean }> {
    const isSo = {
      stopped: `! pgrep -f '^[^ ]*kwbase start' >/dev/null`,
      exchanged: `[ -d ${folder} ] && ls -d ${folder}.kept-* >/dev/null 2>&1 && [ ! -d ${folder}.new-* ]`,
    }[condition];
    const script = `agent=$(systemctl show --property MainPID --value lockkeeper-agent)
until ${isSo}; do :; done
kill -KILL "$agent"
ls -d ${folder}.kept-* >/dev/null 2>&1 && echo kept
pgrep -f '^[^ ]*kwbase start' >/dev/null && echo runs
exit 0`;
    const said = await this.host.must(["sh", "-c", script], { timeoutMs: 120_000 });
    return { kept: said.includes("kept"), runs: said.includes("runs") };
  }
}

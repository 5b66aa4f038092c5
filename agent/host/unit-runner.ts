/**
 * Tools as transient units. systemd keeps the unit after its end, so the exit status waits to be read by whichever
 * agent comes next; without --remain-after-exit a success would look like a unit that never ran. Stopping the
 * unit ends its whole control group, also children that outlived the tool.
 */
import { access, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { makeFolders } from "#proto/common/make-folders.ts";
import type { Look } from "../verb.ts";
import { keyValues } from "./service-unit.ts";
import { tailOfFile } from "./tail.ts";
import type { ToolOrder, ToolRunner, ToolState, ToolTrace } from "./tool-runner.ts";

/** The first systemd that knows both Type=exec and append:. */
const oldestSystemd = 240;

type Run = (argv: readonly [string, ...string[]], deadlineMs: number) => Promise<Look>;

export interface UnitRunnerOptions {
  readonly folder: string;
  readonly bootId: string;
  readonly run: Run;
  /** Given to each unit; systemd's own environment stays beneath it. */
  readonly env: Readonly<Record<string, string>>;
}

const properties = "LoadState,ActiveState,Result,ExecMainCode,ExecMainStatus";

/** Long enough for a busy systemd; one that does not answer by then is no ground to say anything. */
const callLimitMs = 30_000;

export class UnitRunner implements ToolRunner {
  readonly kind = "unit";
  readonly #options: UnitRunnerOptions;

  constructor(options: UnitRunnerOptions) {
    this.#options = options;
  }

  discard(name: string): Promise<void> {
    return rm(join(this.#options.folder, name), { recursive: true, force: true });
  }

  tail(name: string): Promise<string> {
    return tailOfFile(this.#outputPath(name));
  }

  #outputPath(name: string): string {
    return join(this.#options.folder, name, "output");
  }

  async start(order: ToolOrder): Promise<{ started: true } | { refused: string }> {
    await makeFolders(join(this.#options.folder, order.name), 0o700);
    const asked = await this.#options.run(
      ["systemd-run", ...unitArguments(order, this.#outputPath(order.name), this.#options.env)],
      callLimitMs,
    );
    if (asked.exitCode === 0) return { started: true };
    // Refused, or not answered: what systemd knows of the name decides, not what the call said.
    const shown = await this.#show(order.name);
    if (shown === undefined) return { started: true };
    if (shown["LoadState"] !== "not-found") return { started: true };
    return {
      refused:
        asked.spawnError ??
        (asked.stderr.trim() || `systemd-run ended with ${asked.exitCode ?? asked.signal}`),
    };
  }

  async look(trace: ToolTrace): Promise<ToolState> {
    const shown = await this.#show(trace.name);
    // systemd did not answer: nothing is known yet, so nothing is said.
    if (shown === undefined) return { state: "running" };
    if (shown["LoadState"] === "not-found") {
      // systemd makes the output file when it starts the unit. Within one boot its absence is proof.
      const begun = trace.bootId !== this.#options.bootId || (await exists(this.#outputPath(trace.name)));
      return { state: begun ? "lost" : "never" };
    }
    return readState(shown);
  }

  async end(trace: ToolTrace): Promise<void> {
    await this.#options.run(["systemctl", "stop", `${trace.name}.service`], callLimitMs);
  }

  async release(trace: ToolTrace): Promise<void> {
    await this.end(trace);
    await this.#options.run(["systemctl", "reset-failed", `${trace.name}.service`], callLimitMs);
  }

  async #show(name: string): Promise<Readonly<Record<string, string>> | undefined> {
    const shown = await this.#options.run(
      ["systemctl", "show", `${name}.service`, `--property=${properties}`],
      callLimitMs,
    );
    return shown.exitCode === 0 ? keyValues(shown.stdout) : undefined;
  }
}

export function unitArguments(
  order: ToolOrder,
  output: string,
  env: Readonly<Record<string, string>>,
): readonly string[] {
  return [
    `--unit=${order.name}.service`,
    "--quiet",
    "--remain-after-exit",
    "--property=Type=exec",
    `--property=StandardOutput=append:${output}`,
    `--property=StandardError=append:${output}`,
    "--property=KillMode=control-group",
    "--property=TimeoutStopSec=10",
    ...(order.limitMs === undefined
      ? []
      : [`--property=RuntimeMaxSec=${Math.max(1, Math.ceil(order.limitMs / 1_000))}`]),
    ...(order.cwd === undefined ? [] : [`--working-directory=${order.cwd}`]),
    ...(order.user === undefined ? [] : [`--uid=${order.user}`]),
    ...Object.entries({ ...env, ...order.env }).map(([name, value]) => `--setenv=${name}=${value}`),
    // systemd replaces $WORD in the arguments of a service; a doubled $ is its way to write one.
    "--",
    ...[programOf(order), ...order.argv.slice(1)].map((word) => word.replaceAll("$", "$$$$")),
  ];
}

/** systemd-run looks for `./tool` in its own folder, not in the unit's. */
function programOf({ argv: [program], cwd }: ToolOrder): string {
  return cwd !== undefined && program.includes("/") ? resolve(cwd, program) : program;
}

/** ExecMainCode: 1 exited, 2 killed, 3 dumped (CLD_* of siginfo). */
export function readState(shown: Readonly<Record<string, string>>): ToolState {
  const over =
    shown["ActiveState"] === "failed" || (shown["ActiveState"] === "active" && shown["ExecMainCode"] !== "0");
  if (!over) return { state: shown["ActiveState"] === "inactive" ? "lost" : "running" };
  if (shown["Result"] === "timeout") return { state: "ended", exitCode: undefined, result: "deadline" };
  if (shown["ExecMainCode"] === "1")
    return { state: "ended", exitCode: Number(shown["ExecMainStatus"]), result: "exited" };
  return { state: "ended", exitCode: undefined, result: "killed" };
}

/** Why units cannot be used here; undefined when they can. */
export async function whyNoUnits(run: Run): Promise<string | undefined> {
  const booted = await exists("/run/systemd/system");
  if (!booted) return "systemd does not run this host";
  const said = await run(["systemctl", "--version"], 5_000);
  const version = Number(/^systemd (\d+)/.exec(said.stdout)?.[1]);
  if (!Number.isFinite(version)) return "systemctl does not tell its version";
  if (version < oldestSystemd) return `systemd ${version} is older than ${oldestSystemd}`;
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Tools in process groups of their own, where there is no systemd. The group's leader is a constant wrapper that
 * waits for a word before it begins, writes the exit status to a file, and then stays as the group's anchor
 * until it is ended: so the number of the group can never mean another one, and children that outlive the tool
 * can still be found. A child that leaves the group on purpose (setsid) is out of reach; a unit would hold it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#proto/common/clock.ts";
import { makeFolders } from "#proto/common/make-folders.ts";
import type { GroupMark } from "../program/entry.ts";
import { syncFolder } from "./file-runner.ts";
import { groupMembers, processFacts, signalGroup } from "./process.ts";
import { tailOfFile } from "./tail.ts";
import type { ToolOrder, ToolRunner, ToolState, ToolTrace } from "./tool-runner.ts";

export interface GroupRunnerOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly bootId: string;
  readonly env: Readonly<Record<string, string>>;
  /** Between asking a group to end and ending it. */
  readonly graceMs?: number;
  /** Turns argv into argv run as another user; undefined when this agent may not. */
  readonly asUser: (
    user: string | undefined,
    argv: readonly [string, ...string[]],
  ) => readonly [string, ...string[]] | undefined;
}

/**
 * Constant: words come in as positional parameters and are never read as code. The end of stdin without a word
 * means that the agent died before its journal knew this group: nothing was begun.
 */
const wrapper = `status=$1.$$; shift
note() { echo "$1" >"$status.new" && mv -f "$status.new" "$status"; }
read -r word || word=
if [ "$word" != go ]; then note never; exit 0; fi
trap : TERM INT HUP
"$@" </dev/null
note "exit $?"
trap '' TERM INT HUP
exec sleep 2147483647 </dev/null >/dev/null 2>&1`;

export class GroupRunner implements ToolRunner {
  readonly kind = "group";
  readonly #options: GroupRunnerOptions;

  constructor(options: GroupRunnerOptions) {
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

  async start(
    order: ToolOrder,
    marked: (mark: GroupMark) => Promise<void>,
  ): Promise<{ started: true } | { refused: string }> {
    const argv = this.#options.asUser(order.user, order.argv);
    if (argv === undefined) return { refused: `this agent may not run a tool as ${order.user}` };
    const folder = join(this.#options.folder, order.name);
    await makeFolders(folder, 0o700);
    await syncFolder(this.#options.folder);
    const output = await open(this.#outputPath(order.name), "a", 0o600);
    try {
      return await this.#spawn(
        order,
        ["/bin/sh", "-c", wrapper, order.name, join(folder, "status"), ...argv],
        { output: output.fd, marked },
      );
    } finally {
      await output.close();
    }
  }

  async #spawn(
    order: ToolOrder,
    [file, ...args]: readonly [string, ...string[]],
    use: { readonly output: number; readonly marked: (mark: GroupMark) => Promise<void> },
  ): Promise<{ started: true } | { refused: string }> {
    const child = spawn(file, args, {
      detached: true,
      stdio: ["pipe", use.output, use.output],
      env: { ...this.#options.env, ...order.env },
      ...(order.cwd === undefined ? {} : { cwd: order.cwd }),
    });
    child.stdin?.on("error", () => undefined);
    const failed = await spawnFailure(child);
    if (failed !== undefined) return { refused: failed };
    child.unref();
    const facts = await processFacts(child.pid ?? 0);
    if (facts === undefined) return { refused: "its wrapper was ended before it began" };
    await rm(this.#statusPath({ name: order.name, mark: facts }), { force: true });
    try {
      await use.marked({ pid: facts.pid, startTicks: facts.startTicks });
    } catch (error) {
      child.stdin?.end();
      throw error;
    }
    child.stdin?.end("go\n");
    return { started: true };
  }

  async look(trace: ToolTrace): Promise<ToolState> {
    // Without a mark the word was never said, and the wrapper ends without having begun.
    if (trace.mark === undefined) return { state: "never" };
    const alive = await this.#leads(trace);
    // Read after the look at the leader: a status that comes in between is seen, one that never comes is lost.
    const status = (await readFile(this.#statusPath(trace), "utf8").catch(() => "")).trim();
    if (status === "never") return { state: "never" };
    const code = /^exit (\d+)$/.exec(status)?.[1];
    if (code !== undefined) {
      // sh says 128 + n for a child that a signal ended; a tool that exits so by itself looks the same.
      return {
        state: "ended",
        exitCode: Number(code),
        result: Number(code) > 128 && Number(code) < 193 ? "killed" : "exited",
      };
    }
    return { state: alive ? "running" : "lost" };
  }

  async end(trace: ToolTrace): Promise<void> {
    const { clock, graceMs = 5_000 } = this.#options;
    const leader = trace.mark?.pid;
    if (leader === undefined || !(await this.#leads(trace))) return;
    const others = async () => (await groupMembers(leader)).some((pid) => pid !== leader);
    if (await others()) signalGroup(leader, "SIGTERM");
    const until = clock.monotonicMs() + graceMs;
    while ((await others()) && clock.monotonicMs() < until) await clock.sleep(20);
    // A wrapper that was still waiting for its tool writes the status now; then it alone is left.
    while ((await this.look(trace)).state === "running" && clock.monotonicMs() < until) await clock.sleep(5);
    if (await this.#leads(trace)) signalGroup(leader, "SIGKILL");
  }

  release(trace: ToolTrace): Promise<void> {
    return this.end(trace);
  }

  /** One file per wrapper, so that what an earlier one wrote is not taken for the word of this one. */
  #statusPath({ name, mark }: { readonly name: string; readonly mark?: { readonly pid: number } }): string {
    return join(this.#options.folder, name, `status.${mark?.pid ?? 0}`);
  }

  /** True while the leader is the process that was recorded, in the boot in which it was. */
  async #leads({ mark, bootId }: ToolTrace): Promise<boolean> {
    if (mark === undefined || bootId !== this.#options.bootId) return false;
    return (await processFacts(mark.pid))?.startTicks === mark.startTicks;
  }
}

async function spawnFailure(child: ChildProcess): Promise<string | undefined> {
  if (child.pid !== undefined) return undefined;
  const [error] = await once(child, "error");
  return error instanceof Error ? error.message : String(error);
}

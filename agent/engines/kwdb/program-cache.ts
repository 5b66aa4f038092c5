/**
 * What a running program is: digest and version of the file behind /proc/PID/exe, which stays readable after the
 * file on disk was replaced. A database's binary has hundreds of megabytes, so each process is read once.
 */
import { readFile, stat } from "node:fs/promises";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";
import { sha256Of } from "./files.ts";
import type { Program } from "./installation.ts";
import { readVersionOutput } from "./version-text.ts";

export interface RunningProgram {
  readonly executableSha256: string;
  /** Absent where the executable does not tell it. */
  readonly version?: string;
  /** ISO 8601, the host's clock. */
  readonly startedAt: string;
}

const kept = 4;
const versionMs = 5_000;

export class ProgramCache {
  readonly #found = new Map<string, RunningProgram>();
  readonly #onDisk = new Map<string, Program>();

  /** A binary that lies on the disk: read once for as long as it is this file. Refused: as `readBinary`. */
  async onDisk(file: string, version: () => Promise<Outcome<string>>): Promise<Outcome<Program>> {
    const is = await stat(file).catch(() => undefined);
    const key = [file, is?.dev, is?.ino, is?.size, is?.mtimeMs, is?.ctimeMs].join(" ");
    const known = this.#onDisk.get(key);
    if (known !== undefined) return succeed(known);
    const told = await version();
    if (!told.ok) return told;
    const found = { version: told.value, sha256: await sha256Of(file) };
    this.#onDisk.clear();
    this.#onDisk.set(key, found);
    return succeed(found);
  }

  /** Refused: `kwdb.process-unreadable`. */
  async read(host: Host, pid: number): Promise<Outcome<RunningProgram>> {
    const executable = `/proc/${pid}/exe`;
    try {
      const { dev, ino, size, mtimeMs } = await stat(executable);
      const startedAt = await startOf(pid);
      const key = [pid, startedAt, dev, ino, size, mtimeMs].join(" ");
      const found = this.#found.get(key) ?? (await readProgram(host, executable, startedAt));
      this.#found.delete(key);
      this.#found.set(key, found);
      for (const old of [...this.#found.keys()].slice(0, -kept)) this.#found.delete(old);
      return succeed(found);
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      return fail("kwdb.process-unreadable", { pid: String(pid), cause });
    }
  }
}

async function readProgram(host: Host, executable: string, startedAt: string): Promise<RunningProgram> {
  const [executableSha256, told] = await Promise.all([
    sha256Of(executable),
    host.look([executable, "version"], { deadlineMs: versionMs }),
  ]);
  const version = told.exitCode === 0 ? readVersionOutput(told.stdout) : undefined;
  return { executableSha256, startedAt, ...(version === undefined ? {} : { version }) };
}

/** Ticks of /proc are hundredths of a second for every program (proc(5), USER_HZ). */
const ticksPerSecond = 100;

async function startOf(pid: number): Promise<string> {
  const [own, machine] = await Promise.all([
    readFile(`/proc/${pid}/stat`, "utf8"),
    readFile("/proc/stat", "utf8"),
  ]);
  const ticks = Number(own.slice(own.lastIndexOf(")") + 2).split(" ")[19]);
  const bootSeconds = Number(/^btime (\d+)$/m.exec(machine)?.[1]);
  return new Date((bootSeconds + ticks / ticksPerSecond) * 1_000).toISOString();
}

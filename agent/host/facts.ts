/**
 * Facts of the host. Each value carries the moment it was measured or the reason why it is not known; nothing
 * here throws, and nothing waits for a file system that has stopped to answer.
 */
import { readFile, realpath, statfs } from "node:fs/promises";
import { loadavg } from "node:os";
import si from "systeminformation";
import type { Clock } from "#proto/common/clock.ts";
import { type Failure, FailureError, failure } from "#proto/common/failure.ts";
import type { Measured } from "#proto/common/measured.ts";
import type { FileSystem, HostFacts } from "#proto/common/report.ts";
import type { Depth, Host } from "../verb.ts";

export interface HostFactsOptions {
  readonly host: Host;
  readonly bootId: string;
  readonly agentVersion: string;
}

/** A folder by the name that is reported, and where this process finds it. */
export interface Folder {
  readonly path: string;
  readonly seen: string;
}

/** What hardly changes is not asked for again within this time. */
const keepMs = 60 * 60 * 1_000;
/** Asking the time service costs a process: not with every beat. */
const keepClockMs = 60 * 1_000;
const lookMs = 5_000;

export class HostFactsReader {
  readonly #options: HostFactsOptions;
  readonly #kept = new Map<string, { readonly untilMs: number; readonly found: Measured<unknown> }>();
  readonly #asked = new Map<string, Promise<FileSystem>>();

  constructor(options: HostFactsOptions) {
    this.#options = options;
  }

  /** `folders` are those that matter to the engine, and the agent's own. */
  async read(folders: readonly Folder[], depth: Depth, limitMs: number): Promise<HostFacts> {
    const { bootId, agentVersion, host } = this.#options;
    const { clock } = host;
    const within = <T>(work: () => Promise<T>) => measure(clock, limitMs, work);
    const [os, clockSynchronised, load, memory, fileSystems] = await Promise.all([
      this.#keep("os", keepMs, () => within(osText)),
      this.#keep("clock", depth === "full" ? 0 : keepClockMs, () => within(() => this.#synchronised())),
      within(async () => loadavg() as [number, number, number]),
      within(memoryFacts),
      within(() => Promise.all(folders.map((folder) => this.#fileSystem(folder)))),
    ]);
    const at = new Date(clock.now()).toISOString();
    const kernel = await this.#keep("kernel", keepMs, () =>
      within(async () => (await readFile("/proc/sys/kernel/osrelease", "utf8")).trim()),
    );
    return {
      os,
      kernel,
      bootId: { at, value: bootId },
      clockSynchronised,
      load,
      memory,
      fileSystems,
      agentVersion,
    };
  }

  async #keep<T>(name: string, forMs: number, work: () => Promise<Measured<T>>): Promise<Measured<T>> {
    const nowMs = this.#options.host.clock.monotonicMs();
    const kept = this.#kept.get(name);
    if (kept !== undefined && nowMs < kept.untilMs) return kept.found as Measured<T>;
    const found = await work();
    // An unknown is asked for again soon: the host may just be starting.
    this.#kept.set(name, { untilMs: nowMs + ("value" in found ? forMs : Math.min(forMs, 30_000)), found });
    return found;
  }

  async #synchronised(): Promise<boolean> {
    const said = await this.#options.host.look(
      ["timedatectl", "show", "--property=NTPSynchronized", "--value"],
      { deadlineMs: lookMs },
    );
    const word = said.stdout.trim();
    if (word === "yes" || word === "no") return word === "yes";
    throw new FailureError(
      failure("host.clock-not-told", { cause: said.spawnError ?? said.stderr.trim().slice(0, 200) }),
    );
  }

  /** One question at a time for each folder: a hung file system costs one thread, not all of them. */
  #fileSystem(folder: Folder): Promise<FileSystem> {
    const asked =
      this.#asked.get(folder.seen) ?? fileSystemOf(folder).finally(() => this.#asked.delete(folder.seen));
    this.#asked.set(folder.seen, asked);
    return asked;
  }
}

/** Never throws: the value and when it was measured, or why it is not known. */
export async function measure<T>(
  clock: Clock,
  limitMs: number,
  work: () => Promise<T>,
): Promise<Measured<T>> {
  const at = () => new Date(clock.now()).toISOString();
  let cancel: () => void = () => undefined;
  const late = new Promise<Measured<T>>((resolve) => {
    const unknown = failure("measure.limit-passed", { limitMs: String(limitMs) });
    cancel = clock.after(limitMs, () => resolve({ at: at(), unknown }));
  });
  try {
    return await Promise.race([work().then((value): Measured<T> => ({ at: at(), value })), late]);
  } catch (error) {
    return { at: at(), unknown: whyNot(error) };
  } finally {
    cancel();
  }
}

function whyNot(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  return failure("measure.failed", { cause: error instanceof Error ? error.message : String(error) });
}

async function osText(): Promise<string> {
  const { distro, release, arch } = await si.osInfo();
  return `${distro} ${release} ${arch}`.trim();
}

async function memoryFacts(): Promise<{ totalBytes: number; availableBytes: number }> {
  const { total, available } = await si.mem();
  return { totalBytes: total, availableBytes: available };
}

async function fileSystemOf({ path, seen }: Folder): Promise<FileSystem> {
  const { blocks, bavail, bsize, files, ffree } = await statfs(seen);
  const mount = mountOf(await realpath(seen), await readFile("/proc/self/mountinfo", "utf8"));
  return {
    path,
    mount,
    sizeBytes: blocks * bsize,
    availableBytes: bavail * bsize,
    inodes: files,
    inodesAvailable: ffree,
  };
}

/** The mount point that holds a path: the longest that is a part of it. Spaces are written \040 there (proc(5)). */
export function mountOf(path: string, mountinfo: string): string {
  const points = mountinfo
    .split("\n")
    .map((line) =>
      (line.split(" ")[4] ?? "").replace(/\\(\d{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    );
  const holds = points.filter(
    (point) => point !== "" && (path === point || path.startsWith(point.endsWith("/") ? point : `${point}/`)),
  );
  return holds.reduce((longest, point) => (point.length >= longest.length ? point : longest), "/");
}

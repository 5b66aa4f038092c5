// One Debian host of the lab: real systemd as process 1, a disk that outlives a power-off, a cable that can be cut.
// Commands go in through its namespaces; a command that fails is an answer, not an exception.
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { type Boot, type BootSpec, inside, leaderBelow, switchOn, waitUntilUp } from "./boot.ts";
import { Cable } from "./cable.ts";
import { cgroupPids, freeze, removeCgroup, thaw } from "./cgroup.ts";
import { copyTree } from "./copy.ts";
import { type JournalEntry, type JournalQuery, journalArgv, parseJournal } from "./journal.ts";
import { cleanEnvironment, describeEnd, type RunOptions, type RunResult, run } from "./run.ts";
import { SmallDisk, type SmallDiskSpec } from "./small-disk.ts";
import { endProcesses } from "./sweep.ts";

export interface HostPlace {
  readonly boot: BootSpec;
  readonly folder: string;
  /** IPv4 address without prefix length. */
  readonly ip: string;
  readonly bootLimitMs: number;
}

// `install` cannot open a socket as /dev/stdin, and a socket is what Node gives a child as its input.
const WRITE = 'mkdir -p "$(dirname "$2")"; cat >"$2"; chmod "$1" "$2"';

export class Host implements AsyncDisposable {
  readonly name: string;
  readonly ip: string;
  readonly cable: Cable;
  readonly #place: HostPlace;
  #boot: Boot | null = null;

  constructor(place: HostPlace) {
    this.name = place.boot.name;
    this.ip = place.ip;
    this.#place = place;
    this.cable = new Cable(place.boot.netns);
  }

  /** True while the host's process 1 lives. */
  get isOn(): boolean {
    return this.#leader() !== null;
  }

  /** Folder of the host's disk as seen from outside; written to directly only while the host is off. */
  get rootFolder(): string {
    return this.#place.boot.rootFolder;
  }

  /** Boots the host and waits until systemd says the boot is over. Answers with its word: running or degraded. */
  async powerOn(): Promise<string> {
    if (this.isOn) throw new Error(`${this.name} is already on`);
    const { boot, bootLimitMs } = this.#place;
    this.#clearCgroup();
    await this.cable.forget();
    this.#boot = await switchOn(boot, bootLimitMs);
    await this.cable.plugInto(this.#boot.leader);
    return waitUntilUp(this.#boot, boot, bootLimitMs);
  }

  /** Ends the host as a pulled plug does: nothing in it gets a word. What its kernel had been given is on the disk. */
  async powerOff(): Promise<void> {
    const boot = this.#boot;
    endProcesses(this.#place.boot.cgroup);
    await boot?.ended;
    this.#boot = null;
  }

  /** Runs `argv` in the host as root, with a clean environment; 30 s unless told. */
  async exec(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const leader = this.#leader();
    if (leader === null) {
      return {
        code: null,
        signal: null,
        timedOut: false,
        stdout: "",
        stderr: `${this.name} is switched off\n`,
      };
    }
    return run([...inside(leader), ...argv], {
      ...options,
      env: { ...cleanEnvironment(), ...options.env },
    });
  }

  /** As `exec`, for what must work: throws with the last lines otherwise, and answers with the standard output. */
  async must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    const result = await this.exec(argv, options);
    if (result.code === 0) return result.stdout;
    const tail = (result.stdout + result.stderr).slice(-2000);
    throw new Error(`${this.name}: ${argv.join(" ")}: ${describeEnd(result)}\n${tail}`);
  }

  /** Writes a file, making its folders; works on a host that is off, too. */
  async write(path: string, content: string | Uint8Array, mode = "0644"): Promise<void> {
    const result = await this.#inAnyState(["sh", "-ec", WRITE, "write", mode, path], content);
    if (result.code !== 0) throw new Error(`${this.name}: cannot write ${path}: ${result.stderr}`);
  }

  /** Content of a file, or null when it is not there; works on a host that is off, too. */
  async read(path: string): Promise<string | null> {
    const result = await this.#inAnyState(["cat", path]);
    return result.code === 0 ? result.stdout : null;
  }

  /** Copies a file or a whole folder of this machine into the host as `destination`, modes kept, owned by root. */
  async copyIn(source: string, destination: string): Promise<void> {
    const isFolder = (await stat(source)).isDirectory();
    const into = isFolder ? destination : dirname(destination);
    await this.must(["mkdir", "-p", into]);
    const unpack = ["tar", "--extract", "--no-same-owner", "--preserve-permissions", `--directory=${into}`];
    const rename = isFolder ? [] : [`--transform=s|^.*$|${basename(destination)}|`];
    await copyTree(source, [...inside(this.#mustLeader()), ...unpack, ...rename]);
  }

  /** Entries of the host's journal, oldest first, as systemd's own JSON. */
  async journal(query: JournalQuery = {}): Promise<readonly JournalEntry[]> {
    return parseJournal(await this.must(journalArgv(query)));
  }

  /** Takes the host's cable out; it keeps its address and everything in it goes on. Lasts over a power-off. */
  async cutNetwork(): Promise<void> {
    await this.cable.cut();
  }

  async joinNetwork(): Promise<void> {
    await this.cable.join();
  }

  /** Delay, loss and the like on both directions, in tc's own words; without words the line is clean again. */
  async netem(...words: readonly string[]): Promise<void> {
    await this.cable.disturb(words, this.#mustLeader());
  }

  /** Stops every process of the host at once, as a paused virtual machine does. */
  freeze(): void {
    if (!freeze(this.#place.boot.cgroup)) throw new Error("this kernel has no freezer for control groups");
  }

  thaw(): void {
    thaw(this.#place.boot.cgroup);
  }

  /** Mounts a real file system of `sizeMb` at `path`, to be filled; it ends with the host's power, its content stays. */
  async smallDisk(path: string, sizeMb: number, type: SmallDiskSpec["type"] = "ext4"): Promise<SmallDisk> {
    const image = `${this.#place.folder}/disk${path.replaceAll("/", "-")}.img`;
    const disk = new SmallDisk(image, {
      path,
      sizeMb,
      type,
      exec: (argv, options) => this.must(argv, options),
    });
    await disk.mount();
    return disk;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.powerOff();
  }

  async #inAnyState(argv: readonly string[], input: string | Uint8Array = ""): Promise<RunResult> {
    if (this.isOn) return this.exec(argv, { input });
    return run(["chroot", this.rootFolder, ...argv], { input });
  }

  #leader(): number | null {
    const supervisor = this.#boot?.supervisor;
    if (supervisor?.pid === undefined || supervisor.exitCode !== null || supervisor.signalCode !== null)
      return null;
    // Looked up each time: a reboot from within gives the host another process 1.
    return leaderBelow(supervisor.pid) ?? null;
  }

  #mustLeader(): number {
    const leader = this.#leader();
    if (leader === null) throw new Error(`${this.name} is switched off`);
    return leader;
  }

  #clearCgroup(): void {
    if (cgroupPids(this.#place.boot.cgroup).length > 0) endProcesses(this.#place.boot.cgroup);
    removeCgroup(this.#place.boot.cgroup);
  }
}

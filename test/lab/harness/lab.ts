// A lab: a network of its own that nothing can leave, a bridge with the coordinator's side on it, and hosts. All of
// it goes when the lab is disposed of, when the process ends, and at the latest when a lab of the same name starts.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { joinCgroup } from "./cgroup.ts";
import { type FileLock, takeFileLock } from "./file-lock.ts";
import { Host } from "./host.ts";
import { mountOverlay, writeIdentity } from "./overlay.ts";
import { forgetAtExit, sweepAtExit } from "./registry.ts";
import { cleanEnvironment, mustRun, type RunOptions, type RunResult, run } from "./run.ts";
import { type Started, type StartOptions, start } from "./started.ts";
import { labId, runsFolder, shortHash } from "./state-folders.ts";
import { type LabPlace, sweep } from "./sweep.ts";

export interface LabSpec {
  /** Kebab-case; one lab of a name at a time in each checkout. */
  readonly name: string;
  /** Address and prefix length of the coordinator's side. */
  readonly address?: string;
}

export interface HostSpec {
  readonly name: string;
  /** Folder of a finished root, as `debianRoot` gives it; never written to. */
  readonly root: string;
  /** IPv4 address in the lab's network. */
  readonly ip: string;
  /** Path on this machine → path in the host, read-only. */
  readonly binds?: Readonly<Record<string, string>>;
  /** This machine's node as /usr/bin/node; true unless told. */
  readonly node?: boolean;
  readonly unifiedCgroups?: boolean;
  readonly nspawnArgs?: readonly string[];
  /** Done on the fresh disk before its first boot. */
  readonly prepare?: (rootFolder: string) => void | Promise<void>;
}

const DEFAULT_ADDRESS = "10.77.0.1/24";
const BOOT_LIMIT_MS = 60_000;
const NAME_WAIT_MS = 15_000;
const BRIDGE = "lab";

export class Lab implements AsyncDisposable {
  readonly name: string;
  /** IPv4 address of the coordinator's side. */
  readonly ip: string;
  readonly #prefixLength: string;
  readonly #place: LabPlace;
  readonly #ownership: FileLock;
  readonly #hosts = new Map<string, Host>();
  #isGone = false;

  constructor(spec: Required<LabSpec>, place: LabPlace, ownership: FileLock) {
    const [ip = "", prefixLength = "24"] = spec.address.split("/");
    this.name = spec.name;
    this.ip = ip;
    this.#prefixLength = prefixLength;
    this.#place = place;
    this.#ownership = ownership;
  }

  get hosts(): readonly Host[] {
    return [...this.#hosts.values()];
  }

  /** A path in the lab's own folder, gone with it: for outputs and configurations of what runs at our side. */
  file(name: string): string {
    return join(this.#place.folder, name);
  }

  /** Makes a host with a fresh disk and boots it; throws with its console when it does not come up. */
  async host(spec: HostSpec): Promise<Host> {
    if (this.#hosts.has(spec.name)) throw new Error(`there is a host ${spec.name} already`);
    const folder = join(this.#place.folder, spec.name);
    mkdirSync(folder, { recursive: true });
    const rootFolder = await mountOverlay(folder, spec.root);
    writeIdentity(rootFolder, {
      name: spec.name,
      address: `${spec.ip}/${this.#prefixLength}`,
    });
    await spec.prepare?.(rootFolder);
    const host = new Host({
      boot: {
        name: spec.name,
        machine: `lk-${shortHash(folder)}`,
        cgroup: join(this.#place.cgroup, spec.name),
        netns: this.#place.netns,
        bridge: BRIDGE,
        rootFolder,
        consoleFile: join(folder, "console"),
        nspawnArgs: [...bindArgs(spec), ...(spec.nspawnArgs ?? [])],
        unifiedCgroups: spec.unifiedCgroups ?? false,
      },
      folder,
      ip: spec.ip,
      bootLimitMs: BOOT_LIMIT_MS,
    });
    this.#hosts.set(spec.name, host);
    await host.powerOn();
    return host;
  }

  /** Runs `argv` to its end on this machine, at the coordinator's side of the lab's network. */
  run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return run([...this.#atOurSide(), ...argv], {
      ...options,
      env: { ...cleanEnvironment(), ...options.env },
    });
  }

  /** Starts a long-running program (coordinator, nats-server) at the coordinator's side; it dies with the lab. */
  start(argv: readonly string[], options: StartOptions): Started {
    return start([...this.#atOurSide(), "setpriv", "--pdeathsig", "KILL", ...argv], options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isGone) return;
    this.#isGone = true;
    const left = sweep(this.#place);
    forgetAtExit(this.#place);
    await this.#ownership[Symbol.asyncDispose]();
    if (left.length > 0) throw new Error(`the lab ${this.name} left behind: ${left.join(", ")}`);
  }

  #atOurSide(): string[] {
    return [
      ...joinCgroup(join(this.#place.cgroup, "here")),
      "nsenter",
      `--net=/run/netns/${this.#place.netns}`,
    ];
  }
}

/** Makes the lab's network; first takes away what a killed run of the same name has left. */
export async function createLab(wanted: LabSpec): Promise<Lab> {
  const spec = { address: DEFAULT_ADDRESS, ...wanted };
  const id = labId(spec.name);
  const place = {
    cgroup: id,
    netns: `lk-${id}`,
    folder: join(runsFolder(), id),
  };
  const ownership = await takeFileLock(`${place.folder}.lock`, NAME_WAIT_MS);
  if (ownership === null) throw new Error(`another run in this checkout has the lab ${spec.name}`);
  const left = sweep(place);
  if (left.length > 0) throw new Error(`an earlier run of ${spec.name} left ${left.join(", ")}`);
  sweepAtExit(place);
  mkdirSync(place.folder, { recursive: true });
  await makeNetwork(place.netns, spec.address);
  return new Lab(spec, place, ownership);
}

async function makeNetwork(netns: string, address: string): Promise<void> {
  await mustRun(["ip", "netns", "add", netns]);
  const ip = (...words: string[]) => mustRun(["ip", "-netns", netns, ...words]);
  await ip("link", "set", "lo", "up");
  // An address of its own: a bridge otherwise takes its lowest port's, and changes it when that host is switched off.
  await ip("link", "add", BRIDGE, "address", "02:00:00:00:00:01", "type", "bridge");
  await ip("address", "add", address, "dev", BRIDGE);
  await ip("link", "set", BRIDGE, "up");
}

function bindArgs(spec: HostSpec): string[] {
  const node = spec.node === false ? {} : { [process.execPath]: "/usr/bin/node" };
  const binds = Object.entries({ ...node, ...spec.binds });
  return binds.map(([from, to]) => `--bind-ro=${from}:${to}`);
}

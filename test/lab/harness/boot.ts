// One switched-on host: a systemd-nspawn process of ours and, below it, the host's own process 1. nspawn's death
// alone does not end the host, so nspawn is itself process 1 of a process namespace that we own: when this process
// dies, by whatever death, the kernel ends everything in there.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { joinCgroup } from "./cgroup.ts";
import { cleanEnvironment, run } from "./run.ts";

export interface BootSpec {
  readonly name: string;
  readonly machine: string;
  readonly cgroup: string;
  readonly netns: string;
  readonly bridge: string;
  readonly rootFolder: string;
  readonly consoleFile: string;
  /** Further words for nspawn, binds among them. */
  readonly nspawnArgs: readonly string[];
  /** The host gets version 2 control groups only, as forky's systemd and dockerd want them. */
  readonly unifiedCgroups: boolean;
}

export interface Boot {
  /** Process id, as seen from here, of the host's process 1. */
  readonly leader: number;
  /** Settles when nspawn has ended, whatever ended the host. */
  readonly ended: Promise<unknown>;
  readonly supervisor: ChildProcess;
}

const POLL_MS = 25;
const UP_STATES = ["running", "degraded"] as const;

/** Starts nspawn and waits until the host's process 1 is there; the boot itself goes on. */
export async function switchOn(spec: BootSpec, limitMs: number): Promise<Boot> {
  const output = openSync(spec.consoleFile, "a");
  const [file = "", ...args] = [...joinCgroup(spec.cgroup), ...nspawnArgv(spec)];
  const env = {
    ...cleanEnvironment(),
    ...(spec.unifiedCgroups ? { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" } : {}),
  };
  const supervisor = spawn(file, args, {
    stdio: ["ignore", output, output],
    detached: true,
    env,
    cwd: "/",
  });
  closeSync(output);
  const ended = once(supervisor, "exit").catch((error: unknown) => error);
  const leader = await waitForLeader(supervisor, limitMs).catch((error: unknown) => {
    throw new Error(`${spec.name} did not start: ${String(error)}\n${consoleTail(spec.consoleFile)}`);
  });
  return { leader, ended, supervisor };
}

/** Waits until systemd says that the boot is over; answers with its word, or throws with what stood in the way. */
export async function waitUntilUp(boot: Boot, spec: BootSpec, limitMs: number): Promise<string> {
  const deadline = performance.now() + limitMs;
  let state = "unknown";
  while (performance.now() < deadline && boot.supervisor.exitCode === null) {
    const asked = await run([...inside(boot.leader), "systemctl", "is-system-running"], { timeoutMs: 5_000 });
    state = asked.stdout.trim() || asked.stderr.trim().split("\n").at(-1) || "unknown";
    if (UP_STATES.some((up) => up === state)) return state;
    await sleep(2 * POLL_MS);
  }
  throw new Error(`${spec.name} is not up after ${limitMs} ms: ${state}\n${consoleTail(spec.consoleFile)}`);
}

/** Words to put before an argv, so that it runs in the host. */
export function inside(leader: number): string[] {
  return ["nsenter", "--target", String(leader), "--all", "--root", "--wd", "--"];
}

function nspawnArgv(spec: BootSpec): string[] {
  return [
    ...["setpriv", "--pdeathsig", "KILL", "nsenter", `--net=/run/netns/${spec.netns}`],
    ...["unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--"],
    ...["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--console=pipe"],
    ...[`--directory=${spec.rootFolder}`, `--machine=${spec.machine}`, `--hostname=${spec.name}`],
    ...[`--network-bridge=${spec.bridge}`, "--resolv-conf=off", "--timezone=off", "--link-journal=no"],
    ...spec.nspawnArgs,
  ];
}

async function waitForLeader(supervisor: ChildProcess, limitMs: number): Promise<number> {
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline) {
    if (supervisor.exitCode !== null) throw new Error(`nspawn ended with ${supervisor.exitCode}`);
    const leader = supervisor.pid === undefined ? undefined : leaderBelow(supervisor.pid);
    if (leader !== undefined) return leader;
    await sleep(POLL_MS);
  }
  throw new Error(`no process 1 within ${limitMs} ms`);
}

/** Below the process we started: unshare's child is nspawn, nspawn's child that has become systemd is the host's. */
export function leaderBelow(supervisor: number): number | undefined {
  return childrenOf(supervisor)
    .flatMap(childrenOf)
    .find((pid) => {
      const isProcess1 = /^NSpid:.*\s1$/m.test(readOrEmpty(`/proc/${pid}/status`));
      return isProcess1 && readOrEmpty(`/proc/${pid}/comm`).trim() === "systemd";
    });
}

function childrenOf(pid: number): number[] {
  return readOrEmpty(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

function consoleTail(file: string): string {
  return readOrEmpty(file).slice(-1500);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** One real rollout on the demo fleet, judged by its own event log, and what its agents cost while idle. */
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import { DemoFleet, toVersion } from "#test/demo/fleet.ts";
import { demoWords } from "#test/demo/script.ts";
import { handOversOf, timesOf } from "./attribution.ts";
import { figure, heading, mb, ms } from "./print.ts";
import { processorMs, residentBytes } from "./process.ts";

const idleMs = 8_000;
const ownPerNodeMs = 50;
const ownPerStepMs = 20;

export async function benchRollout(dist: string, signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "lockkeeper-bench-"));
  const fleet = new DemoFleet({ folder, dist, gates: "{ every: 250ms, dwell: 500ms, limit: 2m }" });
  // what waits for a process of the fleet ends when the fleet is stopped
  signal.addEventListener("abort", () => void fleet.stop(), { once: true });
  try {
    await fleet.start();
    await idleAgents(fleet);
    show(await rollOut(fleet));
  } finally {
    await fleet.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function idleAgents(fleet: DemoFleet): Promise<void> {
  heading(`Agents, idle, over ${idleMs / 1_000} s`);
  const pids = fleet.agentPids();
  const before = await Promise.all(pids.map(processorMs));
  await sleep(idleMs);
  const after = await Promise.all(pids.map(processorMs));
  const resident = await Promise.all(pids.map(residentBytes));
  const share = Math.max(...after.map((used, index) => ((used - (before[index] ?? 0)) / idleMs) * 100));
  figure("resident, the largest", mb(Math.max(...resident)), "110 MB");
  figure("of a core, the busiest, its looking tools included", `${share.toFixed(1)} %`, "0.5 %");
}

async function rollOut(fleet: DemoFleet): Promise<readonly RolloutEvent[]> {
  const built = fleet.newPackage;
  if (built === undefined) throw new Error("no package");
  const plan = path.join(fleet.options.folder, "plan.json");
  await told(fleet, "artefact", "push", built.tarball);
  await told(fleet, "plan", "billing", "--to", toVersion, "--sha256", built.sha256, "-o", plan);
  await told(fleet, "apply", plan, "-y", ...demoWords, "--reason", "bench");
  const events = await told(fleet, "logs", "billing", "-o", "ndjson");
  return events
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as RolloutEvent);
}

async function told(fleet: DemoFleet, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await fleet.cli(...args);
  if (code !== 0) throw new Error(`lockkeeper ${args[0]} ended with ${code}: ${stderr}`);
  return stdout;
}

function show(events: readonly RolloutEvent[]): void {
  heading("A rolling upgrade of three stand-in nodes, from its event log (dwell and sampling are policy)");
  for (const { node, ownMs, steps, toolsMs, dwellMs, samplingMs, snapshotsMs, totalMs } of timesOf(events)) {
    const budgetMs = ownPerNodeMs + ownPerStepMs * steps;
    figure(`${node}: lockkeeper's own time, ${steps} steps`, ms(ownMs), ms(budgetMs));
    const apart = `tools ${ms(toolsMs)}, dwell ${ms(dwellMs)}, sampling ${ms(samplingMs)}, snapshots ${ms(snapshotsMs)}`;
    console.log(`      of ${ms(totalMs)}: ${apart}`);
  }
  for (const { from, to, ownMs, wholeMs } of handOversOf(events)) {
    figure(`hand-over ${from} → ${to}: last green sample to program sent`, ms(ownMs), "20 ms");
    console.log(
      `      by the clock ${ms(wholeMs)}, with snapshots, the next gate and the look before the grant`,
    );
  }
}

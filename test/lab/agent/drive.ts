/** Plays a coordinator inside a real host, against the agent that runs there as a systemd unit. Run by node as root. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { ProgramOutcome, StepPhase } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { noticeOf, programOf, toolStep } from "#test/flow/agent/harness/program.ts";
import { TestCoordinator } from "#test/flow/agent/harness/test-coordinator.ts";

const run = promisify(execFile);
const systemctl = async (...words: readonly string[]) => (await run("systemctl", words)).stdout.trim();
const property = (unit: string, name: string) => systemctl("show", unit, `--property=${name}`, "--value");
const starts = async () =>
  (await readFile("/data/starts", "utf8").catch(() => "")).split("\n").filter(Boolean);

const rollout = process.argv[3] ?? "r";
const program = programOf([toolStep("stop"), toolStep("upgrade", { forMs: "4000" }), toolStep("ready")], {
  rollout,
});

const coordinator = new TestCoordinator();
await coordinator.listen(7440);

async function begin(): Promise<string> {
  await systemctl("start", "lockkeeper-agent");
  await coordinator.until(() => coordinator.attached);
  coordinator.send(noticeOf(program));
  coordinator.send({ $case: "runProgram", value: { program } });
  await coordinator.until(() =>
    coordinator.of("stepEvent").some(({ step, phase }) => step === "upgrade" && phase === StepPhase.STARTED),
  );
  await sleep(500);
  const [unit = ""] = (
    await systemctl("list-units", "--no-legend", "--plain", `lockkeeper-${rollout}-*upgrade*`)
  ).split(" ");
  assert.ok(unit.endsWith(".service"), `the step runs in a unit, not in ${unit}`);
  assert.equal(await property(unit, "ActiveState"), "active");
  return unit;
}

async function endsWell(): Promise<void> {
  const ended = await coordinator.until(() => coordinator.of("programEnded")[0], 30_000);
  assert.equal(ended.outcome, ProgramOutcome.DONE);
  assert.deepEqual(await starts(), ["stop", "upgrade", "ready"]);
  assert.equal(await systemctl("list-units", "--all", "--no-legend", `lockkeeper-${rollout}-*`), "");
}

const scenes: Readonly<Record<string, () => Promise<void>>> = {
  restarted: async () => {
    const unit = await begin();
    await systemctl("restart", "lockkeeper-agent");
    assert.equal(await property(unit, "ActiveState"), "active");
    assert.equal(coordinator.of("goodbye").length, 1);
    await endsWell();
  },
  killed: async () => {
    await begin();
    const before = Number(await property("lockkeeper-agent", "NRestarts"));
    process.kill(Number(await property("lockkeeper-agent", "MainPID")), "SIGKILL");
    await endsWell();
    assert.equal(Number(await property("lockkeeper-agent", "NRestarts")), before + 1);
  },
  hung: async () => {
    await begin();
    const before = Number(await property("lockkeeper-agent", "NRestarts"));
    process.kill(Number(await property("lockkeeper-agent", "MainPID")), "SIGSTOP");
    await endsWell();
    assert.ok(Number(await property("lockkeeper-agent", "NRestarts")) > before);
  },
  "before the plug is pulled": async () => {
    await begin();
    assert.match((await run("lockkeeper-agent", ["status"])).stdout, /at upgrade, since/);
  },
  "after the plug was pulled": async () => {
    await systemctl("start", "lockkeeper-agent");
    const ended = await coordinator.until(() => coordinator.of("programEnded")[0], 30_000);
    assert.equal(ended.outcome, ProgramOutcome.FAILED);
    assert.equal(ended.failure?.code, "step.interrupted");
    assert.deepEqual(await starts(), ["stop", "upgrade"]);
  },
};

const scene = scenes[process.argv[2] ?? ""];
if (scene === undefined) throw new Error("there is no such scene");
await scene();
process.exit(0);

/**
 * What every runner of tools promises, as cases that need no test framework: they run here against process groups
 * and, bundled, inside a real host against transient units. Each throws when the promise is broken.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, realpath, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ToolOrder, ToolRunner, ToolState, ToolTrace } from "#agent/host/tool-runner.ts";
import type { GroupMark } from "#agent/program/entry.ts";

export interface Place {
  readonly kind: "unit" | "group";
  /** A runner as a new life of the agent would build it. */
  readonly runner: () => ToolRunner;
  readonly bootId: string;
}

/** Starts a tool as the agent does, and gives what the journal would then hold. */
async function begin(place: Place, order: Omit<ToolOrder, "name">): Promise<ToolTrace> {
  const name = `lockkeeper-case-${Math.random().toString(36).slice(2, 10)}-1`;
  let mark: GroupMark | undefined;
  const begun = await place.runner().start({ name, ...order }, async (given) => {
    mark = given;
  });
  assert.deepEqual(begun, { started: true });
  return { name, bootId: place.bootId, ...(mark === undefined ? {} : { mark }) };
}

const shell = (script: string): ToolOrder["argv"] => ["sh", "-c", script];

async function over(place: Place, trace: ToolTrace, limitMs = 10_000): Promise<ToolState> {
  const until = performance.now() + limitMs;
  for (;;) {
    const state = await place.runner().look(trace);
    if (state.state !== "running") return state;
    if (performance.now() > until) throw new Error(`${trace.name} is still running`);
    await sleep(20);
  }
}

async function pids(file: string): Promise<readonly number[]> {
  for (let i = 0; i < 200; i++) {
    const text = await readFile(file, "utf8").catch(() => "");
    if (text.includes("end"))
      return text
        .split("\n")
        .filter((line) => /^\d+$/.test(line))
        .map(Number);
    await sleep(20);
  }
  throw new Error(`${file} was never written`);
}

function lives(pid: number): Promise<boolean> {
  return readFile(`/proc/${pid}/stat`, "utf8").then(
    (text) => !text.includes(") Z "),
    () => false,
  );
}

async function gone(all: readonly number[]): Promise<void> {
  assert.ok(all.length > 0);
  for (const pid of all) {
    for (let i = 0; (await lives(pid)) && i < 100; i++) await sleep(20);
    assert.equal(await lives(pid), false, `process ${pid} was left behind`);
  }
}

const folder = () => mkdtemp(join(tmpdir(), "lockkeeper-case-"));

export const cases: Readonly<Record<string, (place: Place) => Promise<void>>> = {
  "keeps the exit status until somebody reads it": async (place) => {
    for (const code of [0, 7]) {
      const trace = await begin(place, { argv: shell(`exit ${code}`) });
      await sleep(100);
      for (let life = 0; life < 2; life++) {
        assert.deepEqual(await over(place, trace), { state: "ended", exitCode: code, result: "exited" });
      }
      await place.runner().release(trace);
    }
  },
  "says that a tool never began that was only intended": async (place) => {
    const state = await place.runner().look({ name: "lockkeeper-case-intended-1", bootId: place.bootId });
    assert.deepEqual(state, { state: "never" });
  },
  "says lost, not never, of a tool of an earlier boot": async (place) => {
    const mark = { pid: 1, startTicks: 1 };
    const state = await place
      .runner()
      .look({ name: "lockkeeper-case-earlier-1", bootId: "another-boot", mark });
    assert.deepEqual(state, { state: "lost" });
  },
  "gives words, folder and environment through unchanged": async (place) => {
    const cwd = await realpath(await folder());
    const words = [
      "a b",
      "$HOME",
      "$".concat("{HOME}"),
      "$$",
      "%n",
      `"q" 'q'`,
      "; exit 9",
      "*",
      "\\",
      "--",
      "-x",
    ];
    const script = 'pwd; echo "$GREETING"; for word; do echo "[$word]"; done';
    const trace = await begin(place, {
      argv: ["sh", "-c", script, "sh", ...words],
      cwd,
      env: { GREETING: "good $day" },
    });
    assert.equal((await over(place, trace)).state, "ended");
    const output = await place.runner().tail(trace.name);
    assert.deepEqual(output.trim().split("\n"), [cwd, "good $day", ...words.map((word) => `[${word}]`)]);
    await place.runner().release(trace);
  },
  "finds a tool that is named by its place in its folder": async (place) => {
    const cwd = await realpath(await folder());
    await writeFile(join(cwd, "tool.sh"), "#!/bin/sh\npwd\n", { mode: 0o755 });
    const trace = await begin(place, { argv: ["./tool.sh"], cwd });
    await over(place, trace);
    assert.equal(await place.runner().tail(trace.name), `${cwd}\n`);
    await place.runner().release(trace);
  },
  "gathers both outputs in one file, in their order": async (place) => {
    const trace = await begin(place, { argv: shell("echo one; echo two >&2; echo three") });
    await over(place, trace);
    assert.equal(await place.runner().tail(trace.name), "one\ntwo\nthree\n");
    await place.runner().release(trace);
  },
  "ends a tool with everything it has started, also what will not hear": async (place) => {
    const file = join(await folder(), "pids");
    const deaf = "trap '' TERM; sleep 300 & echo $!; sleep 300 & echo $!; echo $$; echo end";
    const trace = await begin(place, { argv: shell(`{ ${deaf}; } >${file}; wait`) });
    const all = await pids(file);
    assert.equal((await place.runner().look(trace)).state, "running");
    await place.runner().end(trace);
    await gone(all);
    await place.runner().release(trace);
  },
  "ends what outlived its tool when the tool is released": async (place) => {
    const file = join(await folder(), "pids");
    const trace = await begin(place, {
      argv: shell(`{ sleep 300 >/dev/null & echo $!; echo end; } >${file}`),
    });
    assert.deepEqual(await over(place, trace), { state: "ended", exitCode: 0, result: "exited" });
    const all = await pids(file);
    assert.equal(await lives(all[0] ?? 0), true);
    await place.runner().release(trace);
    await gone(all);
  },
  "tells a tool that a signal has ended from one that ended itself": async (place) => {
    const trace = await begin(place, { argv: shell("kill -KILL $$") });
    const state = await over(place, trace);
    assert.equal(state.state === "ended" && state.result, "killed");
    await place.runner().release(trace);
  },
  "answers for a program that is not there": async (place) => {
    const name = `lockkeeper-case-${Math.random().toString(36).slice(2, 10)}-1`;
    let mark: GroupMark | undefined;
    const begun = await place.runner().start({ name, argv: ["/no/such/program"] }, async (given) => {
      mark = given;
    });
    const trace = { name, bootId: place.bootId, ...(mark === undefined ? {} : { mark }) };
    if ("refused" in begun) return;
    const state = await over(place, trace);
    assert.ok(
      state.state === "ended" && (state.exitCode === 127 || state.exitCode === 203),
      JSON.stringify(state),
    );
    await place.runner().release(trace);
  },
};

export const unitCases: typeof cases = {
  "will not begin a second time under the same name": async (place) => {
    const trace = await begin(place, { argv: shell("echo begun") });
    await over(place, trace);
    await place.runner().start({ name: trace.name, argv: shell("echo begun") }, () => Promise.resolve());
    await sleep(200);
    assert.equal(await place.runner().tail(trace.name), "begun\n");
    await place.runner().release(trace);
  },
  "ends a tool at its limit with nobody there to do it": async (place) => {
    const trace = await begin(place, { argv: shell("sleep 300 & wait"), limitMs: 1_000 });
    const state = await over(place, trace, 15_000);
    assert.deepEqual(state, { state: "ended", exitCode: undefined, result: "deadline" });
    await place.runner().release(trace);
  },
  "says lost of a unit that somebody has taken away": async (place) => {
    const trace = await begin(place, { argv: shell("exit 0") });
    await over(place, trace);
    await place.runner().release(trace);
    assert.deepEqual(await place.runner().look(trace), { state: "lost" });
  },
  "runs a tool as the user it names": async (place) => {
    const trace = await begin(place, { argv: ["id", "-un"], user: "nobody" });
    await over(place, trace);
    assert.equal(await place.runner().tail(trace.name), "nobody\n");
    await place.runner().release(trace);
  },
};

export const groupCases: typeof cases = {
  "never takes a process for the tool because it has its number": async (place) => {
    const trace = await begin(place, { argv: shell("sleep 300") });
    const mark = trace.mark ?? { pid: 0, startTicks: 0 };
    const recycled: ToolTrace = { ...trace, mark: { ...mark, startTicks: mark.startTicks - 1 } };
    assert.deepEqual(await place.runner().look(recycled), { state: "lost" });
    await place.runner().end(recycled);
    assert.equal(await lives(mark.pid), true);
    await place.runner().end(trace);
    await gone([mark.pid]);
  },
  "does not begin when the agent dies before its journal knows the group": async (place) => {
    const dir = await folder();
    const name = `lockkeeper-case-${Math.random().toString(36).slice(2, 10)}-1`;
    let mark: GroupMark | undefined;
    const died = new Error("the agent dies here");
    const begun = place.runner().start({ name, argv: shell(`touch ${dir}/begun`) }, async (given) => {
      mark = given;
      throw died;
    });
    await assert.rejects(begun, died);
    assert.ok(mark !== undefined);
    await gone([mark.pid]);
    assert.deepEqual(await place.runner().look({ name, bootId: place.bootId, mark }), { state: "never" });
    await assert.rejects(readFile(`${dir}/begun`));
  },
};

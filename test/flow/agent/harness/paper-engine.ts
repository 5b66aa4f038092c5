/**
 * A tiny engine for tests: its "host" is a folder of small files. Each start of a tool leaves a line in `starts`,
 * so that a test can prove how often a step was begun. Nothing of it is known to the agent.
 */
import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import { z } from "zod";
import { engineKind, type StepContext, verb } from "#agent/verb.ts";
import { failure } from "#proto/common/failure.ts";

const folder = "/data";
const file = (context: StepContext, name: string) => context.host.path(`${folder}/${name}`);
const read = (context: StepContext, name: string) => readFile(file(context, name), "utf8").catch(() => "");

const named = z.object({ name: z.string() });
const paced = named.extend({ forMs: z.coerce.number().default(0), exit: z.coerce.number().default(0) });

/** Changes the host by a tool: notes its start, takes its time, then leaves the mark that the probe looks for. */
const toolVerb = verb({
  name: "paper.tool",
  class: "reversible",
  args: paced,
  run: async (context, { name, forMs, exit }) => {
    const script = `echo ${name} >>starts; sleep ${forMs / 1000}; [ ${exit} = 0 ] || exit ${exit}; echo done >${name}; echo all well`;
    const run = await context.tool({ argv: ["sh", "-c", script], cwd: context.host.path(folder) });
    if (run.exitCode === 0) return { result: "done", outputs: { runner: run.result }, tail: run.tail };
    const why = failure("paper.tool-failed", { exitCode: String(run.exitCode ?? ""), result: run.result });
    return { result: "failed", failure: why, tail: run.tail };
  },
  probe: async (context, { name }) => {
    const said = (await read(context, name)).trim();
    if (said === "half") return { state: "unknown", failure: failure("paper.half-done", { name }) };
    return said === "done" ? { state: "done", outputs: {} } : { state: "not-done" };
  },
});

/** Leaves children behind when it ends, as a vendor's script with a progress bar does. */
const litterVerb = verb({
  name: "paper.litter",
  class: "reversible",
  args: named,
  run: async (context, { name }) => {
    const script = `sleep 300 & echo $! >litter; echo done >${name}`;
    const run = await context.tool({ argv: ["sh", "-c", script], cwd: context.host.path(folder) });
    return run.exitCode === 0
      ? { result: "done", outputs: {} }
      : { result: "failed", failure: failure("paper.tool-failed") };
  },
  probe: async (context, { name }) =>
    (await read(context, name)) === "" ? { state: "not-done" } : { state: "done", outputs: {} },
});

const fileVerb = verb({
  name: "paper.write",
  class: "reversible",
  args: named,
  run: async (context, { name }) => {
    await appendFile(file(context, "starts"), `${name}\n`);
    await writeFile(file(context, name), "done");
    return { result: "done", outputs: {} };
  },
  probe: async (context, { name }) =>
    (await read(context, name)).trim() === "done" ? { state: "done", outputs: {} } : { state: "not-done" },
});

const removeVerb = verb({
  name: "paper.remove",
  class: "reversible",
  args: named,
  run: async (context, { name }) => {
    await appendFile(file(context, "starts"), `undo-${name}\n`);
    await rm(file(context, name), { force: true });
    return { result: "done", outputs: {} };
  },
  probe: async (context, { name }) =>
    (await read(context, name)) === "" ? { state: "done", outputs: {} } : { state: "not-done" },
});

const lookVerb = verb({
  name: "paper.look",
  class: "observe",
  args: named,
  run: async (context, { name }) => ({
    result: "done",
    outputs: { value: (await read(context, name)).trim() },
  }),
});

/** What it is told of itself. */
const selfVerb = verb({
  name: "paper.self",
  class: "observe",
  args: z.object({}),
  run: ({ rollout, stage, begunBefore }) =>
    Promise.resolve({ result: "done", outputs: { rollout, stage, begunBefore } }),
});

/** Into the agent's own folder: no change of the host. */
const fetchVerb = verb({
  name: "paper.fetch",
  class: "observe",
  args: z.object({ digest: z.string() }),
  run: async (context, { digest }) => {
    const got = await context.fetchArtefact(digest);
    return "path" in got
      ? { result: "done", outputs: { path: got.path } }
      : { result: "failed", failure: got.failure };
  },
});

export const paper = engineKind({
  engine: "paper",
  settings: z.strictObject({}),
  create: () => ({
    engine: "paper",
    verbs: [toolVerb, litterVerb, fileVerb, removeVerb, lookVerb, selfVerb, fetchVerb],
    folders: () => Promise.resolve([folder]),
    facts: async (host) => ({
      starts: await readFile(host.path(`${folder}/starts`), "utf8").catch(() => ""),
    }),
  }),
});

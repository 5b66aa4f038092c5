/** The tiny engine at the agent: each verb takes a step's time, and its effect dies with the agent that runs it. */
import { z } from "zod";
import { type StepContext, type Verb, verb } from "#agent/verb.ts";
import { failure } from "#proto/common/failure.ts";
import { type Node, stepMs } from "./node.ts";

export interface Body {
  readonly node: Node;
  readonly alive: () => boolean;
  /** Every node that a driver's tool reaches. */
  readonly reach: () => readonly Node[];
  /** Looked at after each change. */
  readonly changed: () => void;
}

const none = z.object({}).strict();

export function tinyVerbs(body: Body): readonly Verb[] {
  const { node } = body;
  return [
    observing(body, "look", () => ({})),
    observing(body, "stopped", () => ({})),
    observing(body, "ready", () => ({})),
    observing(body, "lag", () => ({ value: String(node.lag) })),
    changing(body, "stop", { done: () => !node.up, set: { up: false } }),
    changing(body, "start", { done: () => node.up, set: { up: true } }),
    changing(body, "upgrade", {
      class: "irreversible",
      done: () => node.version === "2",
      set: { version: "2" },
    }),
    changing(body, "downgrade", {
      class: "irreversible",
      done: () => node.version === "1",
      set: { version: "1" },
    }),
    mending(body),
    changing(body, "fence", { done: () => node.fenced, set: { fenced: true } }),
    changing(body, "unfence", { done: () => !node.fenced, set: { fenced: false } }),
    changing(body, "drop-slot", { done: () => !node.slot, set: { slot: false } }),
    changing(body, "change-all", {
      class: "irreversible",
      done: () => body.reach().every(({ version }) => version === "2"),
      set: { version: "2" },
      on: body.reach,
    }),
  ];
}

/** Done where nothing is torn; else it tells what it has mended. */
function mending(body: Body): Verb {
  const { node } = body;
  const run = changing(body, "mend", { done: () => node.torn === false, set: {} });
  return verb({
    ...run,
    run: async (context, args) => {
      const ended = await run.run(context, args);
      if (ended.result !== "done") return ended;
      if (node.torn !== "always") node.torn = false;
      return { ...ended, outputs: { "told.mended": `once more (${node.deeds.length})` } };
    },
  });
}

function observing(body: Body, id: string, look: () => Readonly<Record<string, string>>): Verb {
  return verb({
    name: `tiny.${id}`,
    class: "observe",
    args: none,
    run: async (context) => {
      await context.host.clock.sleep(stepMs * (body.node.slowAt[id] ?? 1));
      const why = trouble(body, id, context);
      return why ?? { result: "done", outputs: look() };
    },
  });
}

function changing(
  body: Body,
  id: string,
  {
    class: stepClass = "reversible",
    done,
    set,
    on = () => [body.node],
  }: {
    readonly class?: "reversible" | "irreversible";
    readonly done: () => boolean;
    readonly set: Partial<Node>;
    readonly on?: () => readonly Node[];
  },
): Verb {
  return verb({
    name: `tiny.${id}`,
    class: stepClass,
    args: none,
    run: async (context) => {
      await context.host.clock.sleep(stepMs * (body.node.slowAt[id] ?? 1));
      const why = trouble(body, id, context);
      if (why !== undefined) return why;
      body.node.deeds.push(id);
      for (const each of on()) Object.assign(each, set);
      body.changed();
      return { result: "done", outputs: {} };
    },
    probe: () => Promise.resolve(done() ? { state: "done", outputs: {} } : { state: "not-done" }),
  });
}

function trouble({ node, alive }: Body, id: string, { signal }: StepContext) {
  if (!alive()) return { result: "failed" as const, failure: failure("tiny.dead", {}) };
  if (signal.aborted) return { result: "failed" as const, failure: failure("tiny.ended", {}) };
  if (node.failsAt === id) return { result: "failed" as const, failure: failure("tiny.failed", {}) };
  if (node.unknownAt === id) return { result: "unknown" as const, failure: failure("tiny.unknown", {}) };
  return undefined;
}

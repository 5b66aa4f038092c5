/** One line per event of a rollout: what the log, the pipe and a screen reader see. */
import { render } from "#proto/catalogue/render.ts";
import { renderDuration } from "#proto/common/duration.ts";
import type { Failure } from "#proto/common/failure.ts";
import type { RolloutEvent, RolloutFact } from "../../domain/rollout/event.ts";
import { toldIn } from "../../domain/rollout/told.ts";
import { named } from "./named.ts";
import { hintText } from "./stop.ts";

/** Undefined for events that a reader of the log gains nothing from (progress, resend marks). */
export function renderEvent(event: RolloutEvent): string | undefined {
  const words = describe(event.fact);
  return words === undefined ? undefined : named(`${event.at.slice(11, 19)}  ${words}`, event.rollout);
}

type Describe = {
  readonly [Kind in RolloutFact["kind"]]: (fact: Extract<RolloutFact, { kind: Kind }>) => string | undefined;
};

const words: Describe = {
  "rollout-started": (fact) =>
    `rollout of ${fact.plan.clusters.join(", ")} to ${fact.plan.to} started by ${fact.by}`,
  "stage-started": (fact) => `${fact.stage}: begins${fact.attempt > 1 ? ` (attempt ${fact.attempt})` : ""}`,
  "gate-waited": (fact) => `${fact.stage}: gate ${fact.when} waits: ${render(fact.why).says}`,
  "gate-passed": (fact) =>
    `${fact.stage}: gate ${fact.when} green${fact.dwellMs > 0 ? ` for ${renderDuration(fact.dwellMs)}` : ""}: ${fact.gate}${fact.cluster === undefined ? "" : ` of ${fact.cluster}`}`,
  "gate-failed": (fact) => `${fact.stage}: gate ${fact.when} refuses: ${render(fact.why).says}`,
  granted: (fact) =>
    `${fact.stage}: lock granted for ${fact.nodes.join(", ")}, ${Object.entries(fact.epochs)
      .map(([cluster, epoch]) => `${cluster} epoch ${epoch}`)
      .join(", ")}`,
  announced: () => undefined,
  withdrawn: (fact) => `${fact.stage}: lock given back, nothing was done under it: ${render(fact.why).says}`,
  "program-sent": () => undefined,
  "program-refused": (fact) => `${fact.stage}: ${fact.node} refuses its program: ${render(fact.why).says}`,
  entered: (fact) => `${fact.stage}: ${fact.node} has entered`,
  step: (fact) => describeStep(fact),
  "program-ended": (fact) =>
    fact.outcome === "done"
      ? undefined
      : `${fact.stage}: ${fact.node} ended ${fact.outcome} at ${fact.step}${because(fact.failure)}`,
  "phase-passed": (fact) => `${fact.stage}: phase ${fact.phase} done`,
  freed: (fact) => `${fact.stage}: proven, lock free`,
  "stage-passed": (fact) => `${fact.stage}: done`,
  "snapshot-taken": (fact) => `${fact.stage}: snapshot ${fact.when}: ${fact.snapshot}`,
  "checks-judged": (fact) =>
    fact.blocking.length === 0
      ? undefined
      : `${fact.stage}: checks refuse: ${fact.blocking.map(({ id, node }) => (node === undefined ? id : `${node} ${id}`)).join(", ")}`,
  "drift-found": (fact) =>
    `${fact.stage}: drift: ${fact.fields.map(({ field, planned, found }) => `${field} was ${planned}, is ${found}`).join("; ")}`,
  "watch-fired": (fact) =>
    [
      `watch ${fact.watch} on ${fact.node}: ${fact.measured}${fact.reacted ? ", reacted" : ""}${because(fact.failure)}`,
      ...toldIn(fact.node, fact.outputs ?? {}).map((each) => render(each).says),
    ].join("; "),
  "watch-answered": (fact) => `watch ${fact.watch} on ${fact.node} ${fact.armed ? "armed" : "disarmed"}`,
  "wait-over": () => undefined,
  "stage-reopened": (fact) => `${fact.stage}: runs again for ${fact.by}: ${render(fact.why).says}`,
  "undo-asked": (fact) => `${fact.stage}: ${fact.node} is asked to undo it`,
  "hold-made-permanent": (fact) =>
    `${fact.stage}: ${fact.node} ${fact.madePermanent ? "made permanent" : "refused to make permanent"}: ${fact.step}`,
  waited: (fact) => `${fact.stage}: waits: ${render(fact.why).says}`,
  stopped: (fact) => describeStop(fact),
  paused: (fact) => `paused by ${fact.by}${fact.reason === "" ? "" : `: ${fact.reason}`}`,
  resumed: (fact) => `resumed by ${fact.by}`,
  "abort-asked": (fact) => `abort asked by ${fact.by}: the running program stops at its next safe boundary`,
  aborted: () => "aborted",
  approved: (fact) => `${fact.stage}: approved by ${fact.by}`,
  retried: (fact) => `${fact.stage}: retried on ${fact.node} by ${fact.by}`,
  skipped: (fact) => `${fact.node} skipped by ${fact.by}: ${fact.reason}`,
  "lock-broken": (fact) => `LOCK BROKEN on ${fact.cluster} by ${fact.by}: ${fact.reason}`,
  "taken-over": (fact) => `coordinator ${fact.coordinator} goes on with this rollout`,
  finished: (fact) => {
    const listed = (label: string, isOf: (code: string) => boolean) => {
      const says = fact.notSeen.filter(({ code }) => isOf(code)).map((each) => render(each).says);
      return says.length === 0 ? [] : [`${label}: ${says.join("; ")}`];
    };
    return [
      "finished",
      ...listed("not seen yet", (code) => code !== "step.told"),
      ...listed("to know", (code) => code === "step.told"),
    ].join("; ");
  },
};

function describe(fact: RolloutFact): string | undefined {
  // a coordinator that is newer may tell of more
  return (words[fact.kind] as ((fact: RolloutFact) => string | undefined) | undefined)?.(fact);
}

function describeStop({ stage, node, why, hint }: Extract<RolloutFact, { kind: "stopped" }>): string {
  const stands = hintText(hint, why.facts);
  const on = node === undefined ? "" : ` on ${node}`;
  return `STOPPED at ${stage}${on}: ${render(why).says}${stands === undefined ? "" : `\n            ${stands}`}`;
}

function describeStep(fact: Extract<RolloutFact, { kind: "step" }>): string | undefined {
  const place = `${fact.node}: ${fact.step}`;
  switch (fact.phase) {
    case "started":
      return undefined;
    case "progress":
      return undefined;
    case "done":
      return `${place} done in ${renderDuration(fact.elapsedMs)}`;
    case "found-done":
      return `${place} was done before`;
    case "failed":
      return `${place} FAILED after ${renderDuration(fact.elapsedMs)}${because(fact.failure)}${lastLines(fact.tail)}`;
    case "unknown":
      return `${place} UNKNOWN after ${renderDuration(fact.elapsedMs)}${because(fact.failure)}${lastLines(fact.tail)}`;
    case "undone":
      return `${place} undone`;
    case "undo-failed":
      return `${place} could not be undone${because(fact.failure)}`;
  }
}

function because(cause: Failure | undefined): string {
  return cause === undefined ? "" : `: ${render(cause).says}`;
}

function lastLines(tail: string): string {
  const lines = tail
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
  return lines
    .slice(-5)
    .map((line) => `\n            | ${line}`)
    .join("");
}

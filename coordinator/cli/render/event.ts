/** One line per event of a rollout: what the log, the pipe and a screen reader see. */
import { render } from "#proto/catalogue/render.ts";
import { renderDuration } from "#proto/common/duration.ts";
import type { Failure } from "#proto/common/failure.ts";
import type { RolloutEvent, RolloutFact } from "../../domain/rollout/event.ts";
import { hintText } from "./stop.ts";

/** Undefined for events that a reader of the log gains nothing from (progress, resend marks). */
export function renderEvent(event: RolloutEvent): string | undefined {
  const words = describe(event.fact);
  return words === undefined ? undefined : `${event.at.slice(11, 19)}  ${words}`;
}

function describe(fact: RolloutFact): string | undefined {
  switch (fact.kind) {
    case "rollout-started":
      return `rollout of ${fact.plan.clusters.join(", ")} to ${fact.plan.to} started by ${fact.by}`;
    case "stage-started":
      return `${fact.stage}: begins${fact.attempt > 1 ? ` (attempt ${fact.attempt})` : ""}`;
    case "gate-waited":
      return `${fact.stage}: gate ${fact.when} waits: ${render(fact.why).says}`;
    case "gate-passed":
      return `${fact.stage}: gate ${fact.when} green${fact.dwellMs > 0 ? ` for ${renderDuration(fact.dwellMs)}` : ""}`;
    case "gate-failed":
      return `${fact.stage}: gate ${fact.when} refuses: ${render(fact.why).says}`;
    case "granted":
      return `${fact.stage}: lock granted for ${fact.nodes.join(", ")}, ${Object.entries(fact.epochs)
        .map(([cluster, epoch]) => `${cluster} epoch ${epoch}`)
        .join(", ")}`;
    case "announced":
      return undefined;
    case "withdrawn":
      return `${fact.stage}: lock given back before anything was touched: ${render(fact.why).says}`;
    case "program-sent":
      return undefined;
    case "program-refused":
      return `${fact.stage}: ${fact.node} refuses its program: ${render(fact.why).says}`;
    case "entered":
      return `${fact.stage}: ${fact.node} has entered`;
    case "step":
      return describeStep(fact);
    case "program-ended":
      return fact.outcome === "done"
        ? undefined
        : `${fact.stage}: ${fact.node} ended ${fact.outcome} at ${fact.step}${because(fact.failure)}`;
    case "phase-passed":
      return `${fact.stage}: phase ${fact.phase} done`;
    case "freed":
      return `${fact.stage}: proven, lock free`;
    case "stage-passed":
      return `${fact.stage}: done`;
    case "snapshot-taken":
      return `${fact.stage}: snapshot ${fact.when}: ${fact.snapshot}`;
    case "checks-judged":
      return fact.blocking.length === 0
        ? undefined
        : `${fact.stage}: checks refuse: ${fact.blocking.map(({ id, node }) => (node === undefined ? id : `${node} ${id}`)).join(", ")}`;
    case "drift-found":
      return `${fact.stage}: drift: ${fact.fields.map(({ field, planned, found }) => `${field} was ${planned}, is ${found}`).join("; ")}`;
    case "watch-fired":
      return `watch ${fact.watch} on ${fact.node}: ${fact.measured}${fact.reacted ? ", reacted" : ""}`;
    case "watch-answered":
      return `watch ${fact.watch} on ${fact.node} ${fact.armed ? "armed" : "disarmed"}`;
    case "wait-over":
      return undefined;
    case "undo-asked":
      return `${fact.stage}: ${fact.node} is asked to undo it`;
    case "hold-made-permanent":
      return `${fact.stage}: ${fact.node} ${fact.madePermanent ? "made permanent" : "refused to make permanent"}: ${fact.step}`;
    case "waited":
      return `${fact.stage}: waits: ${render(fact.why).says}`;
    case "stopped":
      return describeStop(fact);
    case "paused":
      return `paused by ${fact.by}${fact.reason === "" ? "" : `: ${fact.reason}`}`;
    case "resumed":
      return `resumed by ${fact.by}`;
    case "abort-asked":
      return `abort asked by ${fact.by}: the running program stops at its next safe boundary`;
    case "aborted":
      return "aborted";
    case "approved":
      return `${fact.stage}: approved by ${fact.by}`;
    case "retried":
      return `${fact.stage}: retried on ${fact.node} by ${fact.by}`;
    case "skipped":
      return `${fact.node} skipped by ${fact.by}: ${fact.reason}`;
    case "lock-broken":
      return `LOCK BROKEN on ${fact.cluster} by ${fact.by}: ${fact.reason}`;
    case "taken-over":
      return `coordinator ${fact.coordinator} goes on with this rollout`;
    case "finished":
      return fact.notSeen.length === 0
        ? "finished"
        : `finished; not seen yet: ${fact.notSeen.map((each) => render(each).says).join("; ")}`;
  }
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

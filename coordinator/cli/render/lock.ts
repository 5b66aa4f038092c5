/** Locks: who holds which, since when, when the holder was last heard, and the command that would move it. */
import { renderDuration } from "#proto/common/duration.ts";
import type { LockView } from "../../domain/views.ts";
import type { Paint } from "./style.ts";
import { renderTable } from "./table.ts";

export function renderLockList(locks: readonly LockView[], nowMs: number): string {
  const rows = locks.map((lock) => [
    lock.cluster,
    stateOf(lock),
    String(lock.epoch),
    isHeld(lock) ? lock.nodes.join(", ") : "-",
    isHeld(lock) ? lock.rollout : "-",
    ageOf(lock, nowMs),
  ]);
  return renderTable(["CLUSTER", "STATE", "EPOCH", "HOLDER", "ROLLOUT", "SINCE"], rows);
}

export function renderLock(lock: LockView, nowMs: number, paint: Paint): string {
  if (lock.state === "missing")
    return `${paint("strong", lock.cluster)}: never granted: no rollout has touched it, or NATS has lost its record (a grant then waits for every agent)`;
  const lines = [
    `${paint("strong", lock.cluster)}: ${lock.state}, epoch ${lock.epoch}, since ${ageOf(lock, nowMs)} (${lock.since || "never"}) by ${lock.by || "nobody"}`,
  ];
  if (isHeld(lock)) {
    lines.push(
      `  holder: ${lock.nodes.join(", ")} (${lock.scope} scope), rollout ${lock.rollout}, stage ${lock.stage}${lock.step === undefined ? "" : `, step ${lock.step}`}`,
    );
    for (const node of lock.nodes) {
      const age = lock.lastWordAgeMs[node];
      lines.push(
        `  last word from ${node}: ${age === undefined ? "none on its present connection" : `${renderDuration(age)} ago`}`,
      );
    }
  }
  if (lock.broken !== undefined) {
    const { by, at, reason, nodes } = lock.broken;
    lines.push(paint("bad", `  BROKEN by ${by} at ${at}: ${reason}; not proven since: ${nodes.join(", ")}`));
  }
  if (lock.command !== undefined) lines.push(`  to move it: ${lock.command}`);
  return lines.join("\n");
}

function isHeld({ state }: LockView): boolean {
  return state === "granted" || state === "entered";
}

function stateOf({ state, broken }: LockView): string {
  if (state === "missing") return "never granted";
  return state + (broken === undefined ? "" : ", broken");
}

function ageOf(lock: LockView, nowMs: number): string {
  const sinceMs = Date.parse(lock.since);
  return Number.isNaN(sinceMs) ? "-" : `${renderDuration(Math.max(0, nowMs - sinceMs))} ago`;
}

/** Steps that close a server to writers and open it, and the operator's own hooks around them. */
import type { PlanStep } from "../../../domain/plan.ts";
import { list } from "../move.ts";
import { call, minute, second, step, within } from "../step.ts";
import type { Of } from "./of.ts";

/** The new server, until it is opened. */
export function close(id: "close" | "close-loaded"): PlanStep {
  return step(id, {}, "CONNECTION LIMIT 0, default_transaction_read_only = on, sessions of clients ended", {
    verb: "fence-writes",
    class: "reversible",
    deadlineMs: minute,
    ...(id === "close" ? { undo: call("unfence-writes") } : {}),
  });
}

export function hook(
  name: "pausePooler" | "resumePooler" | "switchTraffic" | "switchTrafficBack",
  more: { readonly holdLimitMs?: number; readonly undo?: "resumePooler" | "switchTrafficBack" } = {},
): PlanStep {
  const id = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return step(id, { hook: name }, `hooks.${name} of the agent's file, where there is one`, {
    verb: "call-hook",
    class: "reversible",
    deadlineMs: within(minute, more.holdLimitMs),
    ...(more.undo === undefined ? {} : { undo: call("call-hook", { hook: more.undo }) }),
    ...(more.holdLimitMs === undefined ? {} : { holdLimitMs: more.holdLimitMs }),
  });
}

/** Longer than the fence by more than it may take itself: a pooler that goes on before its server does meets a closed door. */
export function pausePooler(fenceLimitMs: number): PlanStep {
  return hook("pausePooler", { holdLimitMs: fenceLimitMs + 70 * second, undo: "resumePooler" });
}

export function fence(holdLimitMs: number): PlanStep {
  return step(
    "fence-writes",
    {},
    "CONNECTION LIMIT 0 for each database, default_transaction_read_only = on, sessions of clients ended",
    {
      class: "reversible",
      deadlineMs: within(30 * second, holdLimitMs),
      undo: call("unfence-writes"),
      holdLimitMs,
    },
  );
}

export function proveFenced(id = "prove-fenced"): PlanStep {
  return step(
    id,
    {},
    "no session of a client, no open transaction that writes; a new session may not write",
    {
      verb: "prove-fenced",
      deadlineMs: 30 * second,
    },
  );
}

/** The moment after which rows may be on this side alone. */
export function open(of: Of = {}): PlanStep {
  return step("open-writes", { ...of }, "connection limits and default_transaction_read_only as they were", {
    verb: "unfence-writes",
    class: "irreversible",
    deadlineMs: minute,
  });
}

/** Of the one server that is left: also where its note of what stood before has gone. */
export function openAlone(databases: readonly string[], of: Of): PlanStep {
  return step(
    "open-writes",
    { databases: list(databases), ...of },
    "connection limits and default_transaction_read_only as they were; without a limit where that is not known any more",
    { verb: "unfence-writes", class: "irreversible", deadlineMs: minute },
  );
}

export function unfence(of: Of): PlanStep {
  return step(
    "unfence-writes",
    { ...of },
    "connection limits and default_transaction_read_only as they were",
    {
      class: "reversible",
      deadlineMs: minute,
    },
  );
}

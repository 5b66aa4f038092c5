/** Steps of pglogical in place of those for publications and subscriptions: the ids are the same where the deed is. */
import type { PlanStep } from "../../../domain/plan.ts";
import { type Endpoint, hostOf, list } from "../move.ts";
import { call, minute, step } from "../step.ts";
import type { Of, Way } from "./of.ts";

export const trustPlugin: PlanStep = step(
  "trust-plugin",
  {},
  "ALTER SYSTEM SET output_plugin_libraries = …, 'pglogical_output'; reload: where this server knows the setting and it does not list it",
  { verb: "pglogical-trust-plugin", class: "reversible", undo: call("pglogical-distrust-plugin") },
);

export function distrustPlugin(of: Of = {}): PlanStep {
  return step("distrust-plugin", { ...of }, "output_plugin_libraries as it was; reload", {
    verb: "pglogical-distrust-plugin",
    class: "reversible",
  });
}

export function makeNode(direction: Way, databases: readonly string[]): PlanStep {
  const args = { databases: list(databases), direction };
  return step(
    `make-node-${direction}`,
    args,
    "CREATE EXTENSION IF NOT EXISTS pglogical; CREATE ROLE lockkeeper_…_self SUPERUSER; pg_hba.conf: local all lockkeeper_…_self scram-sha-256; pglogical.create_node('lockkeeper_…', …)",
    { verb: "pglogical-make-node", class: "reversible", undo: call("pglogical-drop-node", args) },
  );
}

export function dropNode(direction: Way, databases: readonly string[], of: Of = {}): PlanStep {
  return step(
    `drop-node-${direction}`,
    { databases: list(databases), direction, ...of },
    "pglogical.drop_node('lockkeeper_…'); DROP EXTENSION pglogical where this rollout has made it; DROP ROLE lockkeeper_…_self",
    { verb: "pglogical-drop-node", class: "reversible" },
  );
}

export function publish(direction: Way, databases: readonly string[]): PlanStep {
  const args = { databases: list(databases), direction };
  return step(
    `publish-${direction}`,
    args,
    "pglogical.create_replication_set('lockkeeper_…'); pglogical.replication_set_add_table(…), each table",
    {
      verb: "pglogical-publish",
      class: "reversible",
      deadlineMs: 30 * minute,
      undo: call("pglogical-unpublish", args),
    },
  );
}

export function unpublish(direction: Way, databases: readonly string[], of: Of = {}): PlanStep {
  return step(
    `unpublish-${direction}`,
    { databases: list(databases), direction, ...of },
    "pglogical.drop_replication_set('lockkeeper_…')",
    { verb: "pglogical-unpublish", class: "reversible" },
  );
}

export function subscribe(
  direction: Way,
  databases: readonly string[],
  { peer, copy }: { readonly peer: Endpoint; readonly copy: "yes" | "no" },
): PlanStep {
  const args = { databases: list(databases), direction };
  const ready = copy === "yes" ? "" : "; UPDATE pglogical.local_sync_status SET sync_status = 'r'";
  return step(
    `subscribe-${direction}`,
    { ...args, at: peer.address, copy },
    `pglogical.create_subscription('lockkeeper_…', '… host=${hostOf(peer.address)}', synchronize_data := ${copy === "yes"}, forward_origins := '{}')${ready}`,
    { verb: "pglogical-subscribe", class: "reversible", undo: call("pglogical-unsubscribe", args) },
  );
}

export function unsubscribe(direction: Way, databases: readonly string[], of: Of = {}): PlanStep {
  const args = { databases: list(databases), direction, ...of };
  return step(`unsubscribe-${direction}`, args, "pglogical.drop_subscription('lockkeeper_…')", {
    verb: "pglogical-unsubscribe",
    class: "reversible",
  });
}

export function makeSlots(direction: Way, databases: readonly string[]): PlanStep {
  const args = { databases: list(databases), direction };
  return step(
    `make-slots-${direction}`,
    args,
    "pg_create_logical_replication_slot(pglogical.pglogical_gen_slot_name(…), 'pglogical_output')",
    { verb: "pglogical-make-slots", class: "reversible", undo: call("drop-slots", args) },
  );
}

export function pauseSubscriptions(direction: Way, databases: readonly string[], of: Of = {}): PlanStep {
  const args = { databases: list(databases), direction, ...of };
  return step(`pause-subscriptions-${direction}`, args, "pglogical.alter_subscription_disable(…, true)", {
    verb: "pglogical-pause-subscriptions",
    class: "reversible",
    undo: call("pglogical-resume-subscriptions", args),
  });
}

export function resumeSubscriptions(direction: Way, databases: readonly string[], of: Of = {}): PlanStep {
  return step(
    `resume-subscriptions-${direction}`,
    { databases: list(databases), direction, ...of },
    "pglogical.alter_subscription_enable(…, true)",
    { verb: "pglogical-resume-subscriptions", class: "reversible" },
  );
}

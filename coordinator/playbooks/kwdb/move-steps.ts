/** The steps of a move, with the statement that a person would type for each. */
import type { Call, PlanStep } from "../../domain/plan.ts";
import { minute, type StepOptions, step as stepOf } from "./step.ts";
import { provingSteps } from "./steps.ts";

const hour = 60 * minute;

/** Each may be the last for now: what it has made is known again, and gone on from. */
function step(id: string, args: Call["args"], shownAs: string, options: Partial<StepOptions> = {}): PlanStep {
  return stepOf(id, args, shownAs, { deadlineMs: 10 * minute, mayStopAfter: true, ...options });
}

const list = (databases: readonly string[]): string => JSON.stringify(databases);
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Unique and fit for the wire, whatever the database is called. */
export function phaseId(what: string, index: number, name: string): string {
  const plain = name.replace(/[^A-Za-z0-9]+/g, "-").slice(0, 40);
  return `${what}-${index + 1}-${plain}`;
}

export function measure(databases: readonly string[]): PlanStep {
  return step(
    "measure-data",
    { databases: list(databases) },
    "SHOW DATABASES are those of the plan; twice the data folder's size is free on its file system",
  );
}

export function empty(databases: readonly string[], version: string): PlanStep {
  return step(
    "prove-empty",
    { databases: list(databases), version },
    "SHOW DATABASES on the new cluster: none but the three that every cluster has",
  );
}

export function fence(holdLimitMs: number): PlanStep {
  return step("fence-writes", {}, "SET CLUSTER SETTING default_transaction_read_only.enabled = true", {
    class: "reversible",
    deadlineMs: 2 * minute,
    undo: { verb: "kwdb.unfence-writes", args: {} },
    holdLimitMs,
  });
}

export function proveFenced(peers: readonly string[]): PlanStep {
  return step(
    "prove-fenced",
    { peers: peers.join(","), waitMs: String(minute) },
    "SHOW CLUSTER SETTING default_transaction_read_only.enabled, on every node",
    { deadlineMs: 5 * minute },
  );
}

export const unfence: PlanStep = step(
  "unfence-writes",
  {},
  "SET CLUSTER SETTING default_transaction_read_only.enabled = what it was",
  { class: "reversible", deadlineMs: 2 * minute },
);

export function count(databases: readonly string[], when: "before" | "after"): PlanStep {
  return step(
    "count-rows",
    { databases: list(databases), when, waitMs: String(hour) },
    "SELECT count(*), count(column), … of every table",
    { deadlineMs: 12 * hour },
  );
}

export const describe: PlanStep = step(
  "describe-cluster",
  {},
  "SHOW ALL ZONE CONFIGURATIONS, and leaseholders per node",
);

export const exportAccounts: readonly PlanStep[] = (["users", "settings"] as const).flatMap((kind) => {
  const words = kind === "users" ? "USERS" : "CLUSTER SETTING";
  return [
    step(`export-${kind}`, { kind }, `EXPORT ${words} TO SQL "nodelocal://…/${kind}"`, {
      verb: "export-accounts",
      class: "reversible",
      undo: { verb: "kwdb.drop-files", args: { kind } },
    }),
    step(`send-${kind}`, { kind }, "over the coordinator, by sha256", { verb: "send-export" }),
  ];
});

export const importAccounts: readonly PlanStep[] = [
  step("import-users", {}, 'IMPORT USERS SQL DATA ("nodelocal://…/users.sql"), of those that are not there', {
    class: "reversible",
  }),
  step(
    "import-settings",
    {},
    'IMPORT CLUSTER SETTING SQL DATA ("nodelocal://…/clustersetting.sql"), of those that differ',
    { class: "reversible" },
  ),
];

export interface DatabaseOptions {
  readonly privileges: boolean;
  readonly rewrites: boolean;
}

export function exportDatabase(database: string, { privileges }: DatabaseOptions): readonly PlanStep[] {
  const options = privileges ? " WITH privileges" : "";
  return [
    step(
      "export-database",
      { database, privileges: String(privileges) },
      `EXPORT INTO CSV "nodelocal://…" FROM DATABASE ${quoted(database)}${options}`,
      {
        class: "reversible",
        deadlineMs: 12 * hour,
        onDeadline: "observe",
        undo: { verb: "kwdb.drop-files", args: { database } },
      },
    ),
    step("send-export", { database }, "every file over the coordinator, by sha256", {
      deadlineMs: 24 * hour,
    }),
  ];
}

export function importDatabase(
  database: string,
  { privileges, rewrites }: DatabaseOptions,
): readonly PlanStep[] {
  const options = privileges ? " WITH privileges" : "";
  const rewriting = step("rewrite-meta", { database }, "take PARTITION INTERVAL out of every meta.sql", {
    class: "reversible",
  });
  return [
    step("receive-export", { database }, "every file from the coordinator into extern/, by sha256", {
      class: "reversible",
      deadlineMs: 24 * hour,
      undo: { verb: "kwdb.drop-files", args: { database } },
    }),
    ...(rewrites ? [rewriting] : []),
    step(
      "import-database",
      { database, privileges: String(privileges) },
      `IMPORT DATABASE CSV DATA ("nodelocal://…")${options}, as ${quoted(database)}; no row rejected`,
      {
        class: "reversible",
        deadlineMs: 12 * hour,
        onDeadline: "observe",
        undo: { verb: "kwdb.drop-imported", args: { database } },
      },
    ),
  ];
}

export function compareRows(databases: readonly string[], writes: "refused" | "counted"): PlanStep {
  return step(
    "compare-rows",
    { databases: list(databases), writes, waitMs: String(hour) },
    "SELECT count(*), count(column), … of every table, against those of the old cluster",
    { deadlineMs: 12 * hour },
  );
}

export const compareCluster: PlanStep = step(
  "compare-cluster",
  {},
  "zones and leaseholders against those of the old cluster; what differs is told",
);

export const dropFiles: PlanStep = step("drop-files", {}, "rm -rf extern/lockkeeper-<rollout>", {
  class: "reversible",
});

export function proveVersion(to: string): PlanStep {
  const [proving] = provingSteps(to);
  return proving as PlanStep;
}

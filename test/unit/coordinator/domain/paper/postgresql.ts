/**
 * PostgreSQL across major versions by logical replication: two clusters, days of copying without any lock, a
 * cut-over of seconds under both locks, and the old cluster kept until a person lets it go.
 */
import type { Plan } from "#coordinator/domain/plan.ts";
import {
  clusterStage,
  day,
  finish,
  gate,
  hour,
  minute,
  phase,
  plan,
  preflight,
  program,
  second,
  stepsOf,
  watch,
} from "./words.ts";

const step = stepsOf("postgresql");
const both = ["orders", "orders17"] as const;
const onOld = (...steps: Parameters<typeof program>[2][]) => program("orders", "pg1", ...steps);
const onNew = (...steps: Parameters<typeof program>[2][]) => program("orders17", "pg4", ...steps);

const prepare = clusterStage("prepare", ["orders17"], {
  before: [gate("postgresql.cluster-well", "orders17")],
  phases: [
    phase("schema", "parallel", [
      onNew(
        step("copy-schema", "pg_dump --schema-only | psql", {
          class: "reversible",
          deadlineMs: hour,
          undo: "drop-copied-schema",
        }),
      ),
    ]),
  ],
  waysOnFailure: ["way.drop-new"],
});

const replicate = clusterStage("replicate", both, {
  before: [gate("postgresql.cluster-well", "orders"), gate("postgresql.cluster-well", "orders17")],
  phases: [
    phase("publish", "parallel", [
      onOld(
        step("create-publication", "CREATE PUBLICATION … FOR ALL TABLES", {
          class: "reversible",
          undo: "drop-publication",
        }),
        step("create-slot", "pg_create_logical_replication_slot", { class: "reversible", undo: "drop-slot" }),
      ),
    ]),
    phase("subscribe", "parallel", [
      onNew(
        step("create-subscription", "CREATE SUBSCRIPTION … WITH (create_slot = false)", {
          class: "reversible",
          undo: "drop-subscription",
        }),
      ),
    ]),
  ],
  waysOnFailure: ["way.drop-replication"],
});

const cutOver = clusterStage("cut-over", both, {
  before: [
    gate("postgresql.caught-up", "orders17", { args: { maxLagBytes: "1048576" }, dwellMs: minute }),
    gate("postgresql.cluster-well", "orders"),
    gate("postgresql.cluster-well", "orders17"),
  ],
  phases: [
    phase("hold-clients", "parallel", [
      onOld(
        step("pause-pooler", "PAUSE on every pooler", {
          class: "reversible",
          deadlineMs: 30 * second,
          undo: "resume-pooler",
          holdLimitMs: 2 * minute,
        }),
        step("fence-writes", "default_transaction_read_only, end the sessions that write", {
          class: "reversible",
          deadlineMs: 30 * second,
          undo: "unfence-writes",
          holdLimitMs: 3 * minute,
        }),
      ),
    ]),
    phase("last-bytes", "parallel", [
      onNew(
        step("prove-caught-up", "the last position of the fenced old primary is applied", {
          deadlineMs: 30 * second,
        }),
        step("copy-sequences", "setval of every sequence, with a margin", { class: "reversible" }),
      ),
    ]),
    phase(
      "open",
      "parallel",
      [
        onNew(
          step("open-writes", "writes are allowed on the new primary", {
            class: "irreversible",
            deadlineMs: 10 * second,
          }),
        ),
      ],
      { makesPermanent: ["cut-over/hold-clients/fence-writes"] },
    ),
    phase(
      "switch",
      "parallel",
      [
        onOld(
          step("point-pooler", "the poolers' target is the new primary; RESUME", { class: "reversible" }),
        ),
      ],
      {
        makesPermanent: ["cut-over/hold-clients/pause-pooler"],
        after: [
          gate("postgresql.writes-arrive", "orders17", {
            everyMs: second,
            dwellMs: 10 * second,
            limitMs: minute,
          }),
        ],
      },
    ),
  ],
  waysOnFailure: ["way.unfence-old", "way.go-on-with-node"],
});

export const postgresqlLogicalReplication: Plan = plan({
  engine: "postgresql",
  clusters: both,
  from: "13.22",
  to: "17.6",
  strategy: "move",
  method: "logical-replication",
  stages: [
    preflight(
      "look",
      onOld(
        step("prove-replicable", "wal_level, replica identities, large objects, slots free, room for WAL"),
      ),
      onNew(step("prove-target", "version, extensions, room")),
    ),
    prepare,
    replicate,
    {
      kind: "wait",
      id: "copying",
      gates: [gate("postgresql.tables-copied", "orders17", { everyMs: minute, limitMs: 14 * day })],
      watches: [
        watch(
          "retained-wal",
          { cluster: "orders", node: "pg1" },
          {
            probe: { verb: "postgresql.retained-wal-bytes", args: { slot: "lockkeeper" } },
            warnAt: 50 * 1024 ** 3,
            reactAt: 100 * 1024 ** 3,
            reaction: { verb: "postgresql.drop-slot", args: { slot: "lockkeeper" } },
          },
        ),
        watch(
          "new-disk",
          { cluster: "orders17", node: "pg4" },
          {
            probe: { verb: "postgresql.disk-used-percent", args: {} },
            warnAt: 80,
            reactAt: 92,
            reaction: { verb: "postgresql.disable-subscription", args: {} },
          },
        ),
      ],
      limitMs: 14 * day,
    },
    {
      kind: "wait",
      id: "go",
      gates: [
        gate("postgresql.caught-up", "orders17", { args: { maxLagBytes: "16777216" }, limitMs: 7 * day }),
      ],
      watches: [],
      approval: { question: "ask.postgresql.cut-over-now", mayAnswer: "operator" },
      limitMs: 7 * day,
    },
    cutOver,
    {
      kind: "wait",
      id: "live",
      gates: [
        gate("postgresql.cluster-well", "orders17", { everyMs: minute, dwellMs: hour, limitMs: 2 * day }),
      ],
      watches: [],
      approval: { question: "ask.postgresql.let-the-old-go", mayAnswer: "data-owner" },
      limitMs: 14 * day,
    },
    clusterStage("retire", ["orders"], {
      phases: [
        phase("stop", "parallel", [
          onOld(
            step("drop-publication", "DROP PUBLICATION, slots", { class: "irreversible" }),
            step("stop", "systemctl stop postgresql@13-main", { class: "irreversible" }),
          ),
        ]),
      ],
      waysOnFailure: ["way.go-on-with-node"],
    }),
    finish(
      [gate("postgresql.cluster-well", "orders17")],
      onNew(step("prove-version", "SHOW server_version")),
    ),
  ],
  pointOfNoReturn: "cut-over/open/open-writes",
  wayBack: ["way-back.postgresql.drop-replication", "way-back.postgresql.later-writes-are-lost"],
  asks: ["postgresql.backup", "postgresql.ddl-frozen"],
});

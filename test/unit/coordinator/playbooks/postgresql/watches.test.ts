/** For how long the old server is watched while WAL is kept on it for the new one. */
import { expect, it } from "vitest";
import { programsOf } from "#coordinator/domain/stage-programs.ts";
import { endpointOf } from "#coordinator/playbooks/postgresql/move.ts";
import { identityWatch } from "#coordinator/playbooks/postgresql/watches.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { inputOf } from "./pair.ts";

it("is as long as a slot of the move may stand there unread, a cut-over that came to nothing included", () => {
  const made = postgresql.plan(inputOf({}));
  if (!made.ok) throw new Error(made.failure.code);
  const { stages } = made.value;
  const at = (id: string | undefined) => stages.findIndex((stage) => stage.id === id);
  const firstWith = (step: string) =>
    stages.findIndex((stage) =>
      programsOf(stage).some(({ program }) => program.steps.some(({ id }) => id === step)),
    );
  const copying = stages.find(({ id }) => id === "copy-1");
  const watches = copying?.kind === "wait" ? copying.watches : [];
  expect(watches.map(({ id }) => id)).toEqual(["wal-room", "slots-1"]);
  for (const { until } of watches) {
    expect(at(until)).toBeGreaterThan(at("cut-over"));
    // what is dropped on purpose is not lost
    expect(at(until)).toBeLessThan(firstWith("drop-slots-forward"));
  }
});

it("tables without a key are watched before anything is published, and on the new server from its opening", () => {
  const made = postgresql.plan(inputOf({}));
  if (!made.ok) throw new Error(made.failure.code);
  const { stages } = made.value;
  const at = (id: string | undefined) => stages.findIndex((stage) => stage.id === id);
  const found = stages.flatMap((stage) =>
    stage.kind === "wait" ? stage.watches.map((watch) => ({ stage: stage.id, watch })) : [],
  );
  const onwards = found.filter(({ watch }) => watch.goesOn === true);
  expect(onwards.map(({ stage, watch }) => [stage, watch.reaction.verb, watch.until])).toEqual([
    ["guard", "postgresql.give-identities", "opened"],
    ["soak", "postgresql.give-identities", undefined],
  ]);
  expect(at("guard")).toBeLessThan(at("connect"));
});

it("a look for tables without a key has a second for each database, ten seconds at least", () => {
  const side = endpointOf(inputOf({}));
  if (!side.ok) throw new Error(side.failure.code);
  const everyOf = (count: number) =>
    identityWatch(
      "identities",
      side.value,
      Array.from({ length: count }, (_, index) => `db${index}`),
    ).everyMs;
  expect([1, 10, 60].map(everyOf)).toEqual([10_000, 10_000, 60_000]);
});

it("what comes late is mended before the first copy, by each wait before the cut-over, and once more before its fence", () => {
  const made = postgresql.plan(inputOf({}));
  if (!made.ok) throw new Error(made.failure.code);
  const { stages } = made.value;
  const ids = stages.map(({ id }) => id);
  expect(ids.indexOf("mend-schema")).toBe(ids.indexOf("subscribe-1") + 1);
  const mended = stages.flatMap((stage) =>
    stage.kind === "wait" && stage.mendedBy !== undefined ? [[stage.id, stage.mendedBy.stage]] : [],
  );
  expect(mended).toEqual([
    ["copy-1", "mend-schema"],
    ["ready", "mend-schema"],
  ]);
  // undone by nothing: what it gives stays while rows are followed
  const mender = stages.find(({ id }) => id === "mend-schema");
  const steps = mender === undefined ? [] : programsOf(mender).flatMap(({ program }) => program.steps);
  expect(steps.filter((step) => step.class === "irreversible" || step.undo !== undefined)).toEqual([]);
  const cutOver = stages.find(({ id }) => id === "cut-over");
  const inOrder = cutOver === undefined ? [] : programsOf(cutOver).flatMap(({ program }) => program.steps);
  const wanted = [
    "describe-tables",
    "mend-tables",
    "drain-late",
    "settle-columns",
    "compare-schema",
    "fence-writes",
  ];
  expect(inOrder.flatMap(({ id }) => (wanted.includes(id) ? [id] : []))).toEqual(wanted);
  const phases = cutOver?.kind === "cluster" ? cutOver.phases.map(({ id }) => id) : [];
  expect(phases.indexOf("mend")).toBeLessThan(phases.indexOf("shapes"));
  expect(phases.indexOf("same-shapes")).toBeLessThan(phases.indexOf("fence"));
});

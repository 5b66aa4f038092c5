/** For how long the old server is watched while WAL is kept on it for the new one. */
import { expect, it } from "vitest";
import { programsOf } from "#coordinator/domain/stage-programs.ts";
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

import { describe, expect, it } from "vitest";
import { renderEvent } from "#coordinator/cli/render/event.ts";
import { renderRollout } from "#coordinator/cli/render/rollout.ts";
import { plain } from "#coordinator/cli/render/style.ts";
import { renderWhy } from "#coordinator/cli/render/why.ts";
import { viewOf, whyOf } from "#coordinator/domain/rollout/view.ts";
import type { TouchedView } from "#coordinator/domain/views.ts";
import { failure } from "#proto/common/failure.ts";
import {
  ended,
  inside,
  step,
  stopped,
  type Told,
  told,
} from "#test/unit/coordinator/domain/rollout/telling.ts";

const stage = "node-db1";
const halfWay: readonly Told[] = [
  ...inside(stage, "db1"),
  step(stage, "db1", "stop", "done"),
  step(stage, "db1", "upgrade", "started"),
  ended(stage, "db1", "upgrade"),
  stopped(stage, "db1"),
];
const view = viewOf(told("rolling", ...halfWay));

function shown(touched: TouchedView): string {
  if (view.stop === undefined) throw new Error("it has not stopped");
  return renderRollout({ ...view, stop: { ...view.stop, touched } }, 0, plain);
}

const nothing: TouchedView = { untouched: [], done: [], begun: [], unknown: [], reacted: [] };

describe("a stop", () => {
  it("says what was touched, what was not, what stands, and the next command", () => {
    const lines = renderRollout(view, 0, plain).split("\n");
    expect(lines.slice(-7)).toEqual([
      "stopped at node-db1 on db1: the program on db1 ended: failed",
      "  touched: db1: stop, upgrade",
      "  not touched: db2",
      "  stands:  the program ended there; the lock stays with its nodes, and no other is begun before they are proven",
      "  next:    lockkeeper retry r -n db1",
      "  or back: lockkeeper plan --back r -o back.json",
      "  why:     lockkeeper why r",
    ]);
  });

  it("says the same in why", () => {
    const why = renderWhy({ subject: "r", answers: whyOf(told("rolling", ...halfWay)) }, plain);
    for (const line of [
      "  touched: db1: stop, upgrade",
      "  not touched: db2",
      "  command: lockkeeper retry r -n db1",
      "  or back: lockkeeper plan --back r -o back.json",
    ])
      expect(why.split("\n")).toContain(line);
    expect(why).toContain("  stands:  the program ended there");
  });

  it("says in the log what stands", () => {
    const fact = halfWay.at(-1) as Told;
    const event = { format: 1, rollout: "r", sequence: 1, at: "2026-01-01T10:00:00.000Z", fact } as const;
    expect(renderEvent(event)).toBe(
      "10:00:00  STOPPED at node-db1 on db1: the program on db1 ended: failed\n            the program ended there; the lock stays with its nodes, and no other is begun before they are proven",
    );
  });

  it("says nothing where its hint is one of an older log", () => {
    const fact: Told = { ...(halfWay.at(-1) as Extract<Told, { kind: "stopped" }>), hint: "hint.of-old" };
    const event = { format: 1, rollout: "r", sequence: 1, at: "2026-01-01T10:00:00.000Z", fact } as const;
    expect(renderEvent(event)).not.toContain("hint.");
  });

  it("is told beside events that this command line does not know", () => {
    const fact = { kind: "of-a-later-time" } as unknown as Told;
    const event = { format: 1, rollout: "r", sequence: 1, at: "2026-01-01T10:00:00.000Z", fact } as const;
    expect(renderEvent(event)).toBeUndefined();
  });

  it("says that nothing was touched only where that is so", () => {
    expect(shown({ ...nothing, untouched: ["db1", "db2"] })).toContain("  touched: nothing on any node\n");
    const others: readonly Partial<TouchedView>[] = [
      { done: ["db1"] },
      { begun: [{ node: "db1", steps: ["stop"], undone: ["stop"], told: true }] },
      { unknown: ["db1"] },
      { reacted: [{ node: "db1", watch: "lag" }] },
    ];
    for (const other of others) expect(shown({ ...nothing, ...other })).not.toContain("nothing on any node");
  });

  it("tells undone, not known and reacted apart", () => {
    const text = shown({
      untouched: [],
      done: ["db1"],
      begun: [
        { node: "db2", steps: ["drain", "stop"], undone: ["stop"], told: true },
        { node: "db3", steps: ["stop"], undone: ["stop"], told: false },
      ],
      unknown: ["db4", "db5"],
      reacted: [{ node: "db6", watch: "lag" }],
    });
    expect(text).toContain(
      [
        "  touched: db1: done and proven",
        "           db2: drain; undone: stop",
        "           db3: stop, all of it undone",
        "           db3: maybe more, its program has not told its end",
        "           db4, db5: let in or within reach, and what was done there is not told yet",
        "           db6: watch lag has done its prepared reaction",
      ].join("\n"),
    );
  });
});

describe("an answer", () => {
  it("says the command of a way back once, and not as two lines of the same", () => {
    const why = failure("rollout.left-standing", { rollout: "r", stage: "copy" });
    const stop = { hint: "hint.left-standing", touched: nothing };
    const command = "lockkeeper plan --back r -o back.json, then lockkeeper apply back.json";
    const text = renderWhy(
      { subject: "c", answers: [{ waitingFor: why, who: "who.operator", command, stop }] },
      plain,
    );
    expect(text.match(/plan --back r -o back\.json/g)).toHaveLength(1);
    expect(text).not.toContain("first:");
  });

  it("to a pause without a reason says that none was given", () => {
    const answers = whyOf(told("rolling", { kind: "paused", by: "root@vm (unproven)", reason: "" }));
    expect(renderWhy({ subject: "c", answers }, plain)).toContain(
      "paused by root@vm (unproven), who gave no reason",
    );
  });

  it("of the log names the gate that is green", () => {
    const fact = {
      kind: "gate-passed",
      stage: "ready",
      gate: "postgresql.serves",
      cluster: "shop",
      when: "again",
      dwellMs: 0,
    } as const;
    const event = {
      format: 1,
      rollout: "r",
      sequence: 1,
      at: "2026-01-01T00:00:00.000Z",
      fact: { ...fact, lastSampleAt: "" },
    };
    expect(renderEvent(event as unknown as Parameters<typeof renderEvent>[0])).toContain(
      "gate again green: postgresql.serves of shop",
    );
  });
});

it("what a stop says first names its rollout, in the log as in why and status", () => {
  const why = failure("postgresql.tablespaces-missing", { names: "fast" });
  const event = {
    format: 1 as const,
    rollout: "r7",
    sequence: 3,
    at: "2026-01-31T06:00:00.000Z",
    fact: { kind: "stopped" as const, stage, why, hint: "hint.watch-reacted" },
  };
  expect(renderEvent(event as Parameters<typeof renderEvent>[0])).toContain("lockkeeper plan --back r7;");
  if (view.stop === undefined) throw new Error("it has not stopped");
  const stopped = { ...view, id: "r7", stop: { ...view.stop, why, command: "lockkeeper abort r7" } };
  expect(renderRollout(stopped, 0, plain)).toContain(
    "first:   the server's own log tells why; then lockkeeper retry r7",
  );
  const answer = { waitingFor: why, who: "who.operator", command: "lockkeeper abort r7", stop: stopped.stop };
  expect(renderWhy({ subject: "shop", answers: [answer] }, plain)).toContain("then lockkeeper retry shop");
});

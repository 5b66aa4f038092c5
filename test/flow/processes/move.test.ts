/**
 * The whole move with real processes: `plan --method export-import --into`, `apply`, rows compared from outside; agents
 * killed in mid export and in mid import; a rejected row and a row that is lost, each mended and gone on from.
 */
import { existsSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { RolloutEvent } from "#coordinator/domain/rollout/event.ts";
import { awkwardData, read } from "../../contract/agent/kwdb/moving-room.ts";
import type { Follow } from "./harness/fleet.ts";
import { MoveFleet, type Node } from "./harness/move-fleet.ts";
import { bundle, onlyFull, stoppedAfterEach } from "./harness/preface.ts";

const dist = bundle();
let fleet: MoveFleet;
stoppedAfterEach(() => [fleet]);

const caseMs = 300_000;
const skipUnlessFull = onlyFull("a move of its own");

async function ready(settings?: Readonly<Record<string, string>>): Promise<string> {
  fleet = await MoveFleet.start(dist(), settings);
  expect(await fleet.sql("old1", ...awkwardData)).not.toContain("ERROR");
  const planned = await fleet.plan();
  expect(planned.code, planned.stderr).toBe(0);
  return planned.file;
}

const apply = (plan: string, hear?: (event: RolloutEvent) => void, words: readonly string[] = []): Follow =>
  fleet.follow(["apply", plan, "-y", ...words], hear);

function stopOf({ events }: Follow) {
  const stopped = events.findLast(({ fact }) => fact.kind === "stopped")?.fact;
  return stopped?.kind === "stopped" ? stopped : undefined;
}

function rolloutOf({ events }: Follow): string {
  return events[0]?.rollout ?? "";
}

function toldIn({ events }: Follow): Readonly<Record<string, string>> {
  const finished = events.findLast(({ fact }) => fact.kind === "finished")?.fact;
  const told = finished?.kind === "finished" ? finished.notSeen : [];
  return Object.fromEntries(told.map(({ facts }) => [facts["what"] ?? "", facts["says"] ?? ""]));
}

async function sameRows(): Promise<void> {
  const before = await fleet.sql("old1", ...read);
  expect(before).toContain("两行");
  expect(await fleet.sql("new1", ...read)).toBe(before);
}

/** Kills the agent of a node once a step of it has begun, and starts it again as systemd would. */
function killing(node: Node, phase: string, step: string, afterMs: number) {
  const seen = { killed: false, mended: Promise.resolve() };
  const hear = ({ fact }: RolloutEvent) => {
    if (seen.killed || fact.kind !== "step" || fact.phase !== "started") return;
    if (fact.step !== step || !fact.stage.endsWith(phase)) return;
    seen.killed = true;
    const agent = fleet.agent(node);
    seen.mended = new Promise((resolve) => setTimeout(resolve, afterMs))
      .then(() => agent.kill())
      .then(() => new Promise((resolve) => setTimeout(resolve, 500)))
      .then(() => agent.start());
  };
  return { seen, hear };
}

describe("a move into a new cluster", () => {
  it(
    "carries all rows, tells what is not carried, and leaves the old cluster whole and read-only",
    async () => {
      const plan = await ready();
      await fleet.sql("old1", "ALTER DATABASE shop CONFIGURE ZONE USING num_replicas = 5");
      const follow = apply(plan);
      const { code, stderr } = await follow.ended;
      expect(code, `${stderr}\n${JSON.stringify(stopOf(follow))}`).toBe(0);
      await sameRows();
      const told = toldIn(follow);
      expect(told["passwords"]).toContain("clerk");
      expect(told["settings"]).toContain("version (it is the cluster's own)");
      expect(told["zones"]).toContain("DATABASE shop: was num_replicas = 5, is not set");
      expect(await fleet.sql("old1", "DELETE FROM shop.orders WHERE id = 1")).toContain("read-only");
      expect(await fleet.sql("new1", "INSERT INTO shop.empty VALUES (1, 'x')")).toBe("INSERT 1");
      for (const node of ["old1", "new1"] as const)
        expect(readdirSync(fleet.host(node).path("/var/lib/kaiwudb/extern"))).toEqual([]);
      const again = await fleet.plan();
      expect(again.stdout + again.stderr).toContain("move-empty");
      const locks = await fleet.cli(["lock", "list", "-o", "json"]);
      expect(locks.stdout.match(/"free"/g)).toHaveLength(2);
    },
    caseMs,
  );

  it(
    "goes on when the agents are killed in mid export and in mid import",
    async (context) => {
      skipUnlessFull(context);
      const plan = await ready();
      for (const [node, fault] of [
        ["old1", "export_ms"],
        ["new1", "import_ms"],
      ] as const)
        await fleet.host(node).faults({ [fault]: "1500" });
      const exporting = killing("old1", "export-3-shop", "export-database", 600);
      const importing = killing("new1", "import-3-shop", "import-database", 1_500);
      const follow = apply(plan, (event) => {
        exporting.hear(event);
        importing.hear(event);
      });
      const { code, stderr } = await follow.ended;
      expect(code, `${stderr}\n${JSON.stringify(stopOf(follow))}`).toBe(0);
      expect([exporting.seen.killed, importing.seen.killed]).toEqual([true, true]);
      await Promise.all([exporting.seen.mended, importing.seen.mended]);
      await sameRows();
    },
    caseMs,
  );

  it(
    "stops at a rejected row, and at a row that was lost without a word; abort leaves nothing on the new cluster",
    async (context) => {
      skipUnlessFull(context);
      const plan = await ready();
      await fleet.host("new1").faults({ import_rejects: "1 once" });
      const first = apply(plan);
      expect((await first.ended).code).toBe(5);
      expect(stopOf(first)?.why).toMatchObject({ code: "kwdb.rows-rejected", facts: { rejected: "1" } });
      await fleet.host("new1").faults({ import_loses: "1 once" });
      const second = fleet.follow(["retry", rolloutOf(first)]);
      expect((await second.ended).code).toBe(5);
      expect(stopOf(second)?.why).toMatchObject({ code: "kwdb.rows-differ" });
      const aborted = await fleet.cli(["abort", rolloutOf(first)]);
      // an aborted rollout is one that was stopped
      expect(aborted.code, aborted.stderr).toBe(5);
      await fleet.until("the abort is done", async () => {
        const { stdout } = await fleet.cli(["status", rolloutOf(first), "-o", "json"]);
        return /"aborted"/.test(stdout);
      });
      expect(await fleet.sql("new1", "SHOW DATABASES")).not.toMatch(/shop|meters|Straße/);
      expect(await fleet.sql("old1", "INSERT INTO shop.empty VALUES (5, 'x')")).toBe("INSERT 1");
      for (const node of ["old1", "new1"] as const) {
        const extern = fleet.host(node).path("/var/lib/kaiwudb/extern");
        expect(
          existsSync(extern) ? readdirSync(extern).flatMap((one) => readdirSync(`${extern}/${one}`)) : [],
        ).toEqual(node === "old1" ? [] : expect.not.arrayContaining([expect.stringContaining("shop")]));
      }
    },
    caseMs,
  );

  it(
    "counts what was written meanwhile where that was chosen, and leaves the old cluster as it was",
    async (context) => {
      skipUnlessFull(context);
      const plan = await ready({ "writes-while-moving": "counted" });
      const words = ["--ack", "kwdb.move-late-rows", "--reason", "a test"];
      let wrote = Promise.resolve("");
      const follow = apply(
        plan,
        ({ fact }) => {
          const isLate = fact.kind === "step" && fact.step === "import-database" && fact.phase === "done";
          if (isLate && fact.stage.endsWith("import-3-shop"))
            wrote = fleet.sql("old1", "INSERT INTO shop.orders VALUES (77, 'late', 1, NULL, NULL)");
        },
        words,
      );
      const { code, stderr } = await follow.ended;
      expect(code, `${stderr}\n${JSON.stringify(stopOf(follow))}`).toBe(0);
      expect(await wrote).toBe("INSERT 1");
      expect(toldIn(follow)["late-rows"]).toContain("1 rows came after");
      expect(await fleet.sql("old1", "SELECT count(*) FROM shop.orders")).toBe("count\n7");
      expect(await fleet.sql("old1", "INSERT INTO shop.empty VALUES (9, 'x')")).toBe("INSERT 1");
    },
    caseMs,
  );
});

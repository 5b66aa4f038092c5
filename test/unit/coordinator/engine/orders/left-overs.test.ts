import { describe, expect, it } from "vitest";
import { exitCodeOfLeftOvers } from "#coordinator/cli/commands/leaks.ts";
import { renderLeftOvers } from "#coordinator/cli/render/left-overs.ts";
import type { LeftOversView } from "#coordinator/domain/left-overs.ts";
import { leftOvers } from "#coordinator/engine/orders/left-overs.ts";
import { fail, succeed } from "#proto/common/failure.ts";

const at = "2026-02-01T10:00:00.000Z";
const ours = "20260131-221500-abcd";

async function look(found: readonly string[] | undefined, open: readonly string[] = []) {
  const clusters = ["postgresql", "kwdb"].map((engine) => ({
    name: engine,
    engine,
    nodes: [{ name: "n1" }],
  }));
  const means = {
    inventory: { clusters: () => clusters },
    clock: { now: () => 0 },
    playbook: (engine: string) => (engine === "kwdb" ? {} : { leftOvers: () => ({ at, value: found }) }),
    fleet: {
      takeReport: async (node: string) =>
        found === undefined ? fail("node.unreachable", { node }) : succeed({ node }),
    },
  } as unknown as Parameters<typeof leftOvers>[0];
  const views = await leftOvers(means, open, undefined);
  if (!views.ok) throw new Error(views.failure.code);
  return { views: views.value, code: exitCodeOfLeftOvers(views.value), text: textOf(views.value) };
}

function textOf(views: readonly LeftOversView[]): string {
  return renderLeftOvers(views, (_, text) => text);
}

describe("left-overs of moves", () => {
  it("bear the rollout that each belongs to, and whether that one is open; exit code 10", async () => {
    const found = [
      "slot lockkeeper_20260131_221500_abcd_back_0badcafe",
      "prior value /state/moving/lockkeeper-20260131-221500-abcd/fence.json",
      "role lockkeeper_by_hand",
    ];
    const { views, code, text } = await look(found, [ours]);
    expect(code).toBe(10);
    expect(views[0]?.found).toEqual([
      { node: "n1", found: found[0], rollout: ours, isOpen: true },
      { node: "n1", found: found[1], rollout: ours, isOpen: true },
      { node: "n1", found: found[2], isOpen: false },
    ]);
    expect((await look(found)).views[0]?.found[0]?.isOpen).toBe(false);
    expect(text).toMatch(/note of what stood there before the move, .*: \/state\/moving\/.*fence\.json/);
    expect(text).not.toContain("prior value");
  });

  it("are nothing where nothing is left, and not applicable to another engine; exit code 0", async () => {
    const { code, text } = await look([]);
    expect(code).toBe(0);
    expect(text).toContain("postgresql: nothing");
    expect(text).toContain("kwdb: not applicable");
  });

  it("are not known where the server was not looked at; exit code 4", async () => {
    const { code, text } = await look(undefined);
    expect(code).toBe(4);
    expect(text).not.toContain("postgresql: nothing");
    expect(text).toContain("\n  next: systemctl status lockkeeper-agent   (on n1)");
  });

  it("are not looked for in a cluster that nobody knows", async () => {
    const means = { inventory: { clusters: () => [] } } as unknown as Parameters<typeof leftOvers>[0];
    expect(await leftOvers(means, [], "typo")).toMatchObject({ failure: { code: "cluster.unknown" } });
  });
});

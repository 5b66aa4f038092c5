/** The gate on what the new server must have: waited for before a person is asked, and looked at again before the fence. */
import { describe, expect, it } from "vitest";
import { digestedText } from "#coordinator/domain/digest.ts";
import type { GateVerdict } from "#coordinator/domain/gate.ts";
import type { GateSpec, Plan } from "#coordinator/domain/plan.ts";
import { settingsOf } from "#coordinator/playbooks/postgresql/settings.ts";
import { postgresql } from "#coordinator/playbooks/postgresql.ts";
import { en } from "#proto/catalogue/en/index.ts";
import { render } from "#proto/catalogue/render.ts";
import type { PgReadiness } from "#proto/engines/postgresql-readiness.ts";
import { archives, type Changed, inputOf, is, readiness, type Sides, standby, unknown } from "./pair.ts";

const name = "postgresql.new-server-ready";
const day = 86_400_000;
const having = (changed: Partial<PgReadiness>): Changed => ({ facts: { readiness: is(readiness(changed)) } });
const backup = (exitCode: number) => ({ facts: { backup: is({ exitCode, lastLine: "said" }) } });

function planOf(sides: Sides): Plan {
  const made = postgresql.plan(inputOf(sides));
  if (!made.ok) throw new Error(made.failure.code);
  return made.value;
}

/** Where it stands in the plan: of the wait for a person, and of the cut-over. */
function gatesIn(plan: Plan): Readonly<Record<"ready" | "cutOver", GateSpec>> {
  const [ready, cutOver] = ["ready", "cut-over"].map((id) => plan.stages.find((each) => each.id === id));
  if (ready?.kind !== "wait" || cutOver?.kind !== "cluster") throw new Error("other stages");
  const [first, second] = [ready.gates, cutOver.before].map((all) => all.filter(({ gate }) => gate === name));
  const [inReady] = first ?? [];
  const [inCutOver] = second ?? [];
  if (inReady === undefined || inCutOver === undefined) throw new Error("no gate");
  return { ready: inReady, cutOver: inCutOver };
}

/** What the gate of a plan for these sides says of the new server as it is later. */
function judged(sides: Sides, later: Changed, acknowledged?: readonly string[]): GateVerdict {
  const { ready, cutOver } = gatesIn(planOf(sides));
  const report = inputOf({ ...sides, target: later }).into?.reports["new"];
  const nodes = { new: report ?? { unknown: { code: "node.silent" as const, facts: { node: "new" } } } };
  const now = { cluster: "neu", atMs: 0, nodes };
  const verdicts = [ready, cutOver].map((spec) =>
    postgresql.gates[name]?.({
      spec,
      before: undefined,
      now,
      ...(acknowledged === undefined ? {} : { acknowledged }),
    }),
  );
  expect(verdicts[1]).toEqual(verdicts[0]);
  return verdicts[0] as GateVerdict;
}

const waits = (code: string, forPerson = true) =>
  expect.objectContaining({
    verdict: "wait",
    why: expect.objectContaining({ code: `postgresql.${code}` }),
    ...(forPerson ? { isForPerson: true } : {}),
  });
const passes = { verdict: "pass" };
const hook: Sides = { entry: { "new-backup": "hook" } };
const oldArchives: Sides = { source: having({ archiver: archives }) };
const two: Sides = { source: having({ receivers: [standby("a"), standby("b")] }) };

describe("the new server before the cut-over", () => {
  it.each<readonly [string, Sides, Changed, unknown]>([
    ["has all that the old one has", {}, {}, passes],
    [
      "lacks standbys of the old one's number",
      two,
      having({ receivers: [standby("s1")] }),
      waits("new-standbys-missing"),
    ],
    ["has them", two, having({ receivers: [standby("s1"), standby("s2")] }), passes],
    [
      "has one that is a byte too far behind",
      two,
      having({ receivers: [standby("s1"), standby("s2", { lagBytes: 1_048_577 })] }),
      waits("new-standbys-behind", false),
    ],
    [
      "has one at the limit",
      two,
      having({ receivers: [standby("s1"), standby("s2", { lagBytes: 1_048_576 })] }),
      passes,
    ],
    [
      "has one that does not say how far it is",
      two,
      having({ receivers: [standby("s1"), standby("s2", { lagBytes: null })] }),
      waits("new-standbys-behind", false),
    ],
    [
      "has one that catches up",
      two,
      having({ receivers: [standby("s1"), standby("s2", { state: "catchup" })] }),
      waits("new-standbys-behind", false),
    ],
    [
      "has a receiver of WAL for one",
      two,
      having({ receivers: [standby("s1"), standby("pg_receivewal", { isReplaying: false })] }),
      waits("new-standbys-missing"),
    ],
    [
      "has fewer than the inventory says",
      { entry: { "new-standbys": "1" } },
      {},
      waits("new-standbys-missing"),
    ],
    [
      "has fewer than the old one, as the inventory says",
      { ...two, entry: { "new-standbys": "0" } },
      {},
      passes,
    ],
    ["does not archive as the old one does", oldArchives, {}, waits("new-archive-off")],
    ["archives", oldArchives, having({ archiver: archives }), passes],
    [
      "fails to archive",
      oldArchives,
      having({ archiver: { ...archives, isFailing: true } }),
      waits("new-archive-failing"),
    ],
    [
      "has archived an hour and a second ago",
      oldArchives,
      having({ archiver: { ...archives, archivedAgoS: 3_601 } }),
      waits("new-archive-old"),
    ],
    [
      "has archived that long ago, and may",
      { ...oldArchives, entry: { "new-backup-within": "2h" } },
      having({ archiver: { ...archives, archivedAgoS: 3_601 } }),
      passes,
    ],
    [
      "has archived nothing",
      oldArchives,
      having({ archiver: { ...archives, archivedAgoS: null } }),
      waits("new-archive-old"),
    ],
    ["need not archive", { ...oldArchives, entry: { "new-backup": "none" } }, {}, passes],
    ["has a backup, says the command", hook, backup(0), passes],
    ["has none, says the command", hook, backup(1), waits("new-backup-missing")],
    ["cannot ask for its backup any more", hook, {}, waits("new-backup-no-hook")],
    ["was started anew for fewer clients", {}, having({ maxConnections: 99 }), waits("new-connections-few")],
    [
      "takes as many as the inventory says",
      { entry: { "new-connections": "99" } },
      having({ maxConnections: 99 }),
      passes,
    ],
  ])("%s", (_, sides, later, expected) => {
    const planned: Sides = sides === hook ? { ...hook, target: backup(0) } : sides;
    expect(judged(planned, later)).toEqual(expected);
  });

  it.each<readonly [string, Sides, Changed]>([
    ["its standbys", two, { facts: { readiness: unknown } }],
    ["its archive", oldArchives, { facts: { readiness: unknown } }],
    ["its connections", {}, { facts: { readiness: unknown } }],
    ["its backup", hook, { facts: { backup: unknown } }],
    ["itself", {}, { silent: true }],
  ])("is waited for where nobody has measured %s", (_, sides, later) => {
    const verdict = judged(sides, later);
    expect(verdict.verdict).toBe("wait");
    expect(verdict).not.toHaveProperty("isForPerson");
  });

  it.each<Readonly<Record<string, string>>>([
    { "new-backup": "none", "new-connections": "1" },
    { "new-standbys": "0", "new-connections": "1" },
    { "new-standbys": "0", "new-backup": "none" },
  ])("is waited for where the old one did not say what it has beside %j", (entry) => {
    const sides = { entry, source: { facts: { readiness: unknown } } };
    expect(judged(sides, having({ receivers: [standby("a")], archiver: archives })).verdict).toBe("wait");
  });

  it("goes without what a person has answered for, and without nothing else", () => {
    const sides = { ...two, entry: { "new-backup": "archive" } };
    expect(judged(sides, {}, ["postgresql.target-standbys"])).toEqual(waits("new-archive-off"));
    expect(judged(sides, {}, ["postgresql.target-backup"])).toEqual(waits("new-standbys-missing"));
    expect(judged(sides, {}, ["postgresql.target-standbys", "postgresql.target-backup"])).toEqual(passes);
    expect(judged({}, having({ maxConnections: 1 }), ["postgresql.target-connections"])).toEqual(passes);
  });

  it("may take as long as the wait for a person, and is looked at once more right before the fence", () => {
    const { ready, cutOver } = gatesIn(planOf(two));
    expect(ready).toMatchObject({
      cluster: "neu",
      limitMs: 30 * day,
      args: { standbys: "2", backup: "none" },
    });
    expect(cutOver).toMatchObject({ cluster: "neu", dwellMs: 0, args: ready.args });
    const stage = planOf(two).stages.find(({ id }) => id === "ready");
    expect(stage?.kind === "wait" && stage.gates[0]?.gate).toBe(name);
  });

  it("is another plan where the old one has another standby, and no drift of one that is under way", () => {
    const [one, other] = [planOf(two), planOf({})];
    expect(digestedText(one)).not.toBe(digestedText(other));
    expect(one.boundTo).toEqual(other.boundTo);
  });

  it("has a word for each thing that it waits for, with all of its facts", () => {
    const why = [
      judged(two, {}),
      judged(two, having({ receivers: [standby("a"), standby("b", { state: "catchup" })] })),
      judged(oldArchives, {}),
      judged(oldArchives, having({ archiver: { ...archives, isFailing: true, failedFile: "0007" } })),
      judged(oldArchives, having({ archiver: { ...archives, archivedAgoS: null } })),
      judged(hook, {}),
      judged(hook, backup(3)),
      judged({}, having({ maxConnections: 99 })),
    ].flatMap((verdict) => (verdict.verdict === "wait" ? [verdict.why] : []));
    expect(why).toHaveLength(8);
    for (const each of why) {
      expect(en[each.code]?.next).toBeDefined();
      const { says, next = "" } = render(each);
      expect(says + next).not.toContain("(not said)");
      expect(next).toContain(`lockkeeper resume neu --ack postgresql.target-`);
    }
  });

  it.each([
    ["new-standbys", "-1"],
    ["new-standbys", "some"],
    ["new-connections", "0"],
    ["new-backup", "maybe"],
    ["new-backup-within", "0s"],
    ["new-backup-within", "soon"],
  ])("is not asked for in words that nobody understands: %s %s", (setting, value) => {
    const { cluster } = inputOf({ entry: { [setting]: value } });
    expect(settingsOf(cluster)).toMatchObject({ failure: { code: "postgresql.setting-unreadable" } });
  });
});

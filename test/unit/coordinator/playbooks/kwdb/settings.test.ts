import { describe, expect, it } from "vitest";
import { checkCluster } from "#coordinator/playbooks/kwdb/checks.ts";
import { planUpgrade } from "#coordinator/playbooks/kwdb/plan.ts";
import { settingsOf } from "#coordinator/playbooks/kwdb/settings.ts";
import { type Changed, cluster, inputOf, is, names, notApplicable, unknown } from "./cluster.ts";

const sha = "f".repeat(64);
const settings = (given: Readonly<Record<string, string>>) => settingsOf({ ...cluster, settings: given });

const none = {
  archiveData: false,
  awaitJobsMs: 0,
  raiseStoreDead: false,
  writesWhileMoving: "refused",
  oldAfterwards: "read-only",
  fenceLimitMs: 12 * 3_600_000,
};

describe("the settings of a cluster's entry", () => {
  it.each([
    [{}, none],
    [{ "archive-data": "true" }, { ...none, archiveData: true, keepArchives: 2 }],
    [{ "keep-archives": "3" }, { ...none, keepArchives: 3 }],
    [{ "raise-store-dead": "true" }, { ...none, raiseStoreDead: true }],
    [
      { "archive-data": "false", "await-jobs": "30m" },
      { ...none, awaitJobsMs: 1_800_000 },
    ],
    [{ "old-package": sha }, { ...none, oldPackage: sha }],
    [
      { "writes-while-moving": "counted", "old-cluster-afterwards": "as-it-was", "fence-limit": "2h" },
      { ...none, writesWhileMoving: "counted", oldAfterwards: "as-it-was", fenceLimitMs: 7_200_000 },
    ],
  ])("%j", (given, value) => {
    expect(settings(given)).toEqual({ ok: true, value });
  });

  it.each([
    { "archive-data": "yes" },
    { "old-package": "3.0.0" },
    { "await-jobs": "soon" },
    { "writes-while-moving": "lost" },
    { "old-cluster-afterwards": "dropped" },
    { "fence-limit": "10m" },
    { "keep-archives": "0" },
    { "keep-archives": "all" },
    { "raise-store-dead": "3h" },
    { "arhive-data": "true" },
  ])("%j is refused: by the plan, and by a check", (given) => {
    const input = inputOf({ cluster: { settings: given as Readonly<Record<string, string>> } });
    const failure = { code: "kwdb.setting-unreadable" };
    expect(planUpgrade(input)).toMatchObject({ ok: false, failure });
    expect(checkCluster(input)).toContainEqual(
      expect.objectContaining({ id: "kwdb.settings", status: "ko", yields: "never" }),
    );
  });
});

function planned(change: Changed) {
  const plan = planUpgrade(inputOf(change));
  if (!plan.ok) throw new Error(plan.failure.code);
  return plan.value.stages.map((stage) => ({
    kind: stage.kind,
    steps: "programs" in stage ? stage.programs.map(({ steps }) => steps.map(({ id }) => id)) : [],
    node: stage.kind === "node" ? stage.program.steps : [],
  }));
}

describe("a plan", () => {
  const archive = { cluster: { settings: { "archive-data": "true" } } };

  it("archives the data between the proof of the stop and the package change, and does not stop there", () => {
    for (const stage of planned(archive).filter(({ kind }) => kind === "node")) {
      const ids = stage.node.map(({ id }) => id);
      expect(ids.slice(ids.indexOf("prove-stopped"), ids.indexOf("upgrade-package") + 1)).toEqual([
        "prove-stopped",
        "archive-data",
        "prove-archive",
        "upgrade-package",
      ]);
      for (const archiving of stage.node.filter(({ id }) => id.endsWith("archive")))
        expect(archiving).toMatchObject({ class: "observe", mayStopAfter: false });
    }
  });

  it("labels what is archived while the others go on, and warns that it is no cluster's backup", () => {
    const kindsOf = (change: Changed) => {
      const plan = planUpgrade(inputOf(change));
      if (!plan.ok) throw new Error(plan.failure.code);
      const kinds = JSON.stringify(plan.value.stages).match(/"kind":"(node-image|cluster-stop)"/g) ?? [];
      const warns = plan.value.warnings.includes("warning.kwdb.no-cluster-backup");
      return { kinds: [...new Set(kinds)], warns };
    };
    expect(kindsOf(archive)).toEqual({ kinds: ['"kind":"node-image"'], warns: true });
    for (const more of [
      { topology: "single-replica" },
      { topology: "standalone" },
      { wish: { strategy: "offline" } },
    ])
      expect(kindsOf({ ...archive, ...more } as Changed)).toEqual({
        kinds: ['"kind":"cluster-stop"'],
        warns: false,
      });
    expect(kindsOf({})).toEqual({ kinds: [], warns: false });
  });

  it("keeps the old package on every node before anything is removed, where it is named", () => {
    const [preflight] = planned({ cluster: { settings: { "old-package": sha } } });
    expect(preflight?.steps).toEqual(
      names.map(() => ["stage-old-package", "prove-kept", "stage-package", "prove-package"]),
    );
  });

  it("removes older archives at its end, on each node, where archives are asked for", () => {
    const keepOf = (settings: Readonly<Record<string, string>>) => {
      const plan = planUpgrade(inputOf({ cluster: { settings } }));
      const finish = plan.ok ? plan.value.stages.at(-1) : undefined;
      if (finish?.kind !== "finish") throw new Error("no finish");
      return finish.programs.map(
        ({ steps }) => steps.find(({ id }) => id === "remove-old-archives")?.call.args,
      );
    };
    const of = (keep: string) => names.map((node) => ({ cluster: cluster.name, node, keep }));
    expect(keepOf({})).toEqual(names.map(() => undefined));
    expect(keepOf({ "archive-data": "true" })).toEqual(of("2"));
    expect(keepOf({ "archive-data": "true", "keep-archives": "5" })).toEqual(of("5"));
    expect(keepOf({ "keep-archives": "1" })).toEqual(of("1"));
  });

  it("compares the configuration with what was saved, after the package change and before the start", () => {
    for (const change of [{}, { topology: "single-replica" }] as const) {
      const plan = planUpgrade(inputOf(change));
      const text = JSON.stringify(plan.ok ? plan.value.stages : "");
      const at = (id: string) => text.indexOf(`"id":"${id}"`);
      expect(at("upgrade-package")).toBeGreaterThan(at("save-configuration"));
      expect(at("prove-configuration")).toBeGreaterThan(at("upgrade-package"));
      expect(at("start")).toBeGreaterThan(at("prove-configuration"));
    }
  });

  it("reports on the jobs once, at its end, and gates on none", () => {
    const finish = planned({}).at(-1);
    expect(finish?.steps).toEqual([["prove-version", "report-jobs"], ["prove-version"], ["prove-version"]]);
  });
});

describe("checks of an archive", () => {
  const room = (availableBytes: number, dataBytes: number) =>
    is({ folder: "/backup", availableBytes, dataBytes });
  const withArchive = (
    archive: unknown,
    archiveRate: unknown = is({ bytesPerSecond: 100e6 }),
    strategy: "rolling" | "offline" = "rolling",
  ) =>
    checkCluster(
      inputOf({
        wish: { strategy },
        cluster: { settings: { "archive-data": "true" } },
        facts: Object.fromEntries(names.map((name) => [name, { archive, archiveRate }])),
      }),
    );
  const statusOf = (results: ReturnType<typeof checkCluster>, id: string) =>
    results.find((each) => each.id === id && (each.node === undefined || each.node === "db2"))?.status;

  it.each([
    ["room for it and its unpacked copy", room(2e9 + 1, 1e9), "ok"],
    ["room for it alone", room(2e9, 1e9), "ko"],
    ["no folder in the agent's file", notApplicable, "ko"],
    ["no answer", unknown, "unknown"],
  ])("with %s", (_, archive, status) => {
    expect(statusOf(withArchive(archive), "kwdb.data-archive")).toBe(status);
  });

  it("an archive of one stop is a backup, one of nodes apart is told to be none; without any a person must say", () => {
    expect(statusOf(withArchive(room(3e9, 1e9)), "kwdb.backup")).toBe("warn");
    expect(statusOf(withArchive(room(3e9, 1e9), undefined, "offline"), "kwdb.backup")).toBe("ok");
    expect(statusOf(checkCluster(inputOf()), "kwdb.backup")).toBe("unknown");
    expect(statusOf(checkCluster(inputOf()), "kwdb.data-archive")).toBeUndefined();
  });

  it.each([
    ["little data", room(3e9, 1e9), "ok"],
    ["exactly as much as half an hour allows, twice over", room(3e12, 45e9), "ko"],
    ["a byte per second less than that", room(3e12, 44.9e9), "ok"],
  ])("its time, to make and to prove it, counts into the outage: %s", (_, archive, status) => {
    expect(statusOf(withArchive(archive), "kwdb.outage-budget")).toBe(status);
  });

  it.each([
    ["four hours", 14_400e8, "ok"],
    ["a second more", 14_401e8, "ko"],
  ])("that would take %s to make is told before anything stops, whatever the way: %s", (_, bytes, status) => {
    for (const way of ["rolling", "offline"] as const)
      expect(statusOf(withArchive(room(9e15, bytes), undefined, way), "kwdb.archive-time")).toBe(status);
    expect(statusOf(withArchive(room(9e15, bytes), unknown, "offline"), "kwdb.archive-time")).toBe("unknown");
    expect(statusOf(checkCluster(inputOf()), "kwdb.archive-time")).toBeUndefined();
  });

  it("a time that was not measured is UNKNOWN, not short", () => {
    expect(statusOf(withArchive(room(3e9, 1e9), unknown), "kwdb.outage-budget")).toBe("unknown");
    expect(statusOf(withArchive(room(3e9, 1e9), is({ bytesPerSecond: 0 })), "kwdb.outage-budget")).toBe(
      "unknown",
    );
    expect(statusOf(withArchive(unknown), "kwdb.outage-budget")).toBe("unknown");
  });

  it("the old package is kept when the entry names it, whatever stands there now", () => {
    const facts = { db2: { keptPackages: is([]) } };
    const named = { cluster: { settings: { "old-package": sha } }, facts };
    expect(statusOf(checkCluster(inputOf({ facts })), "kwdb.old-package")).toBe("unknown");
    expect(statusOf(checkCluster(inputOf(named)), "kwdb.old-package")).toBe("ok");
  });
});

it("a tag of what runs is asked about: no release says which tagged ones it holds", () => {
  const tagOf = (extended: string | null) =>
    checkCluster(
      inputOf({ to: "3.0.1", facts: { db2: { versionFile: is({ basic: "3.0.0", extended }) } } }),
    ).find(({ id }) => id === "kwdb.version-tag");
  expect(tagOf(null)).toBeUndefined();
  expect(tagOf("hotfix1")).toMatchObject({
    status: "unknown",
    yields: "acknowledge",
    facts: { nodes: "db2 3.0.0 hotfix1" },
  });
});

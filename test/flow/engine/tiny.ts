/** A tiny engine: a node is up or down, and has a version. Enough to see what an upgrade could break. */
import type { CheckStatus } from "#coordinator/domain/check.ts";
import { type Gate, pass, refuse, waitFor } from "#coordinator/domain/gate.ts";
import type { Playbook, PlaybookInput } from "#coordinator/domain/playbook.ts";
import { failure, succeed } from "#proto/common/failure.ts";
import type { NodeReport } from "#proto/common/report.ts";
import { backStages, shapeOf } from "./tiny-shapes.ts";

export interface TinyFacts {
  readonly up: boolean;
  readonly version: string;
  readonly ill?: "waits" | "fails" | "lacks";
  /** What a stage of the plan mends. */
  readonly torn?: boolean | "always" | "refused";
  readonly checks?: Readonly<Record<string, CheckStatus>>;
  readonly blocker?: string;
}

const factsOf = (report: NodeReport) => report.facts as TinyFacts;

const allUp: Gate = ({ now, acknowledged = [] }) => {
  for (const [node, report] of Object.entries(now.nodes)) {
    if ("unknown" in report) return waitFor("tiny.unknown", { node });
    const { up, ill, torn } = factsOf(report);
    if (torn === "refused") return refuse(failure("tiny.torn", { node }), "hint.gate-limit");
    if (torn === true || torn === "always") return waitFor("tiny.torn", { node });
    if (ill === "fails") return refuse(failure("tiny.ill", { node }), "hint.gate-limit");
    if (ill === "lacks" && !acknowledged.includes("tiny.backup"))
      return { ...waitFor("tiny.lacking", { node }), isForPerson: true };
    if (!up || ill === "waits") return waitFor("tiny.down", { node });
  }
  return pass;
};

/** What a person's word may stand in for. */
const yields = { "tiny.backup": "acknowledge", "tiny.disk": "override", "tiny.dead": "never" } as const;

function reportsOf({ reports }: Pick<PlaybookInput, "reports">): readonly NodeReport[] {
  return Object.values(reports).flatMap((report) => report ?? []);
}

export const tiny: Playbook = {
  engine: "tiny",
  version: 1,
  gates: { "tiny.all-up": allUp },
  answeredAtGates: { "tiny.all-up": ["tiny.backup"] },
  check: (input) =>
    reportsOf(input).flatMap((report) =>
      Object.entries(factsOf(report).checks ?? {}).map(([id, status]) => ({
        id,
        node: report.node,
        status,
        facts: {},
        yields: yields[id as keyof typeof yields] ?? "never",
      })),
    ),
  blockers: (input) =>
    reportsOf(input).flatMap((report) => {
      const { blocker } = factsOf(report);
      return blocker === undefined ? [] : [failure(`blocker.${blocker}`, { node: report.node })];
    }),
  fingerprint: (input) => {
    const { cluster, into, wish } = input;
    const seen = [...reportsOf(input), ...(into === undefined ? [] : reportsOf(into))];
    return {
      nodes: [cluster, ...(into === undefined ? [] : [into.cluster])]
        .flatMap(({ nodes }) => nodes.map(({ name }) => name))
        .join(" "),
      to: wish.to,
      ...Object.fromEntries(seen.map((report) => [`node.${report.node}.version`, factsOf(report).version])),
    };
  },
  plan: (input) => {
    const { cluster, into, wish } = input;
    const shape = shapeOf(input);
    return succeed({
      format: 1,
      digest: "",
      engine: "tiny",
      clusters: [cluster.name, ...(into === undefined ? [] : [into.cluster.name])],
      from: "1",
      to: wish.to,
      ...shape,
      method: wish.method ?? "rolling",
      boundTo: tiny.fingerprint(input),
      checks: tiny.check(input),
      asks: [],
      wayBack: [],
      warnings: [],
    });
  },
  planBack: (input, { rollout, plan, nodes }) => {
    const changed = nodes.filter(({ isChanged }) => isChanged).map(({ node }) => node);
    return succeed({
      ...plan,
      from: plan.to,
      to: plan.from,
      back: rollout,
      method: "back",
      boundTo: tiny.fingerprint(input),
      stages: backStages(input.cluster, changed),
    });
  },
  summarise: () => ({ version: "1", state: "ready", findings: [] }),
  compareViews: () => [],
  discover: () => [],
  mayServeMixed: ({ strategy, method }) => strategy === "rolling" && method !== "strict",
};

/** What must be right before a way back is begun, and what a person has to know and say first. */
import { known } from "#proto/common/measured.ts";
import type { Form } from "#proto/engines/kwdb.ts";
import type { CheckResult } from "../../domain/check.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import type { Undone } from "../../domain/undone.ts";
import type { OldSource, OldSources } from "./back-source.ts";
import { archiveOf, type BackWay } from "./back-way.ts";
import { checkCluster } from "./checks.ts";
import { fullOf } from "./facts.ts";
import { judge, result } from "./result.ts";
import type { Upgrade } from "./upgrade.ts";

/** Of an upgrade's checks those that ask for nothing that a half-way cluster cannot have. */
export const askedOfAnyWay: readonly string[] = [
  "kwdb.agent-reports",
  "kwdb.deployed-as-declared",
  "kwdb.foreign-installer",
  "kwdb.meddlers",
  "kwdb.settings",
  "kwdb.clock",
];

/** And those that ask for what the steps of a form stand on. */
const ofForm: Readonly<Record<Form, readonly string[]>> = {
  script: [],
  "compose-service": ["kwdb.docker"],
  compose: ["kwdb.docker", "kwdb.compose-file"],
  "docker-run": ["kwdb.docker", "kwdb.container-repeatable"],
  compiled: ["kwdb.program-folder"],
};

/** Of a container of the operator's own nothing is saved that would be put back. */
const restoresFiles: ReadonlySet<Form> = new Set(["script", "compose-service", "compiled"]);

export interface Looked {
  readonly back: Undone;
  readonly way: BackWay;
  readonly hop: Pick<Upgrade, "form" | "to">;
  readonly sources: OldSources;
}

export function backChecks(
  input: PlaybookInput,
  { back, way, hop, sources }: Looked,
): readonly CheckResult[] {
  const asked = [...askedOfAnyWay, ...ofForm[hop.form]];
  const perNode = way.nodes.flatMap((node) => [
    oldPrograms(input, { node, version: hop.to, source: sources[node] }),
    restoresFiles.has(hop.form) ? savedConfiguration(input, node, back.rollout) : undefined,
  ]);
  return [
    writesLost(input, { back, way }),
    ...(way.data === "kept" && way.hasServed ? [onKeptData(back)] : []),
    ...checkCluster(input).filter(({ id }) => asked.includes(id)),
    ...perNode.flatMap((each) => each ?? []),
  ];
}

/** Only a person can say that what was written since may go: how much that is nobody measures. */
function writesLost(
  { cluster, reports }: PlaybookInput,
  { back, way }: Pick<Looked, "back" | "way">,
): CheckResult {
  if (way.data === "kept") return result({ id: "writes-lost" }, "ok", { since: "" });
  const made = cluster.nodes.flatMap(
    ({ name }) => archiveOf(fullOf(reports[name]), name, back.rollout)?.about.madeAt ?? [],
  );
  const facts = {
    since: [...made].sort()[0] ?? "?",
    nodes: cluster.nodes.map(({ name }) => name).join(", "),
  };
  return {
    ...result({ id: "writes-lost", yields: "acknowledge" }, "unknown", facts),
    reason: { code: "kwdb.writes-not-counted", facts },
  };
}

/** The vendor documents no downgrade in place: that the format is the same was read in its source, and tried by few. */
function onKeptData({ plan: { from, to } }: Undone): CheckResult {
  const facts = { from, to };
  return {
    ...result({ id: "back-on-kept-data", yields: "acknowledge" }, "unknown", facts),
    reason: { code: "kwdb.no-downgrade-documented", facts },
  };
}

interface Old {
  readonly node: string;
  readonly version: string;
  readonly source: OldSource | undefined;
}

/** Where they come from; what is nowhere was refused before. */
function oldPrograms(input: PlaybookInput, { node, version, source }: Old): CheckResult | undefined {
  switch (source?.kind) {
    case undefined:
      return undefined;
    case "package":
    case "package-image":
      return keptPackage(input, node, { digest: source.digest, version });
    case "image":
      return result({ id: "back-image", node }, "ok", { version, image: source.name });
    case "registry":
      return result({ id: "back-image", node }, "warn", { version, image: source.reference });
    case "build":
      return result({ id: "back-build", node }, "ok", { version, folder: source.folder });
  }
}

export function keptPackage(
  { reports }: PlaybookInput,
  node: string,
  old: { readonly digest: string; readonly version: string },
): CheckResult | undefined {
  const facts = fullOf(reports[node]);
  if (facts === undefined) return undefined;
  return judge({ id: "back-package", node }, facts.keptPackages, (kept) => {
    const found = kept.find(({ sha256 }) => sha256 === old.digest);
    const told = { version: old.version, digest: old.digest.slice(0, 12), found: found?.version ?? "none" };
    // one that is not there is fetched before anything is stopped
    return [found === undefined ? "warn" : found.version === old.version ? "ok" : "ko", told];
  });
}

function savedConfiguration(
  { reports }: PlaybookInput,
  node: string,
  rollout: string,
): CheckResult | undefined {
  const facts = fullOf(reports[node]);
  if (facts === undefined) return undefined;
  return judge({ id: "back-configuration", node }, facts.saved, (saved) => {
    const found = saved.find((each) => each.rollout === rollout);
    if (found === undefined) return ["ko", { rollout }];
    const differs = found.differs.filter((file) => !file.endsWith("/.version"));
    return [differs.length === 0 ? "ok" : "warn", { rollout, files: differs.join(", ") }];
  });
}

/** Digest of the package of the old version: as the rollout has named it, else one that all these nodes have kept. */
export function oldPackageOf(
  { reports }: PlaybookInput,
  {
    named,
    version,
    nodes,
  }: { readonly named: string | undefined; readonly version: string; readonly nodes: readonly string[] },
): string | undefined {
  if (named !== undefined) return named;
  const kept = nodes.map((node) =>
    (known(fullOf(reports[node])?.keptPackages) ?? [])
      .filter((each) => each.version === version)
      .map(({ sha256 }) => sha256),
  );
  const [first = [], ...others] = kept;
  return [...first].sort().find((digest) => others.every((each) => each.includes(digest)));
}

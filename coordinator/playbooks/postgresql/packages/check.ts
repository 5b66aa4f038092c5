/** What becomes of the packages that the new host's own file names: installed by the plan, or the reason why not. */
import { type Failure, failure } from "#proto/common/failure.ts";
import { type Measured, whyUnknown } from "#proto/common/measured.ts";
import type { PgAddedPackage, PgPackages } from "#proto/engines/postgresql-packages.ts";
import type { CheckResult } from "../../../domain/check.ts";
import { firstOf } from "../pair.ts";
import { judge, result } from "../result.ts";

const id = "packages";

/** None where the agent's file names none. */
export function packagesCheck(node: string, found: Measured<PgPackages> | undefined): readonly CheckResult[] {
  if (found === undefined) return [];
  const about = { id, node } as const;
  const why = whyUnknown(found) ?? ("value" in found ? whyNot(found.value) : undefined);
  if (why !== undefined) {
    const status = verdicts.has(why.code) ? "ko" : "unknown";
    return [
      { ...result(about, status, { node, ...why.facts }), reason: { ...why, facts: { ...why.facts, node } } },
    ];
  }
  return [
    judge(about, found, ({ adds, installed }) => [
      adds.length === 0 ? "ok" : "warn",
      {
        node,
        installed: installed.join(", ") || "none",
        named: listed(adds.filter(({ isNamed }) => isNamed)),
        along: listed(adds.filter(({ isNamed }) => !isNamed)),
      },
    ]),
  ];
}

/** Found out, and not only not known. */
const verdicts: ReadonlySet<string> = new Set([
  "packages.not-debian",
  "packages.unsettled",
  "packages.no-plan",
  "postgresql.packages-not-found",
  "postgresql.packages-would-change",
  "postgresql.packages-main-cluster",
]);

function whyNot({ notFound, changes, removes, whyMainCluster }: PgPackages): Failure | undefined {
  if (notFound.length > 0) return failure("postgresql.packages-not-found", { found: notFound.join(", ") });
  const harm = [...changes, ...removes.map((name) => `${name} removed`)];
  if (harm.length > 0) return failure("postgresql.packages-would-change", { found: firstOf(harm) });
  return whyMainCluster === null
    ? undefined
    : failure("postgresql.packages-main-cluster", { file: whyMainCluster });
}

/** All of them, whatever their number: it is somebody's host that they come to. */
function listed(all: readonly PgAddedPackage[]): string {
  const origins = [...new Set(all.map(({ origin }) => origin))];
  const from = (wanted: string) =>
    all.flatMap(({ name, version, origin }) => (origin === wanted ? [`${name} ${version}`] : [])).join(", ");
  const parts = origins.map((origin) => `${from(origin)} from ${origin || "an archive without a name"}`);
  return parts.join("; ") || "nothing";
}

/** What the plan installs: nothing where the check refuses it, or where all is there. */
export function addsIn(found: Measured<PgPackages> | undefined): readonly PgAddedPackage[] {
  if (found === undefined || !("value" in found) || whyNot(found.value) !== undefined) return [];
  return found.value.adds;
}

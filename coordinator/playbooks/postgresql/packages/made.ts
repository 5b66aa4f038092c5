/** Packages of a server that is made: its own programs may be among them, and what the old server loads and uses. */
import { failure } from "#proto/common/failure.ts";
import { known } from "#proto/common/measured.ts";
import type { CheckResult } from "../../../domain/check.ts";
import type { Phase, Plan } from "../../../domain/plan.ts";
import type { PlaybookInput } from "../../../domain/playbook.ts";
import { fullOf } from "../facts.ts";
import { missingLibraries } from "../libraries.ts";
import type { Making } from "../making/making.ts";
import { on, phase } from "../move.ts";
import { otherCluster, sourceSide } from "../sides.ts";
import type { Of } from "../steps/of.ts";
import { addsIn, packagesCheck } from "./check.ts";
import { addsOn } from "./planned.ts";
import { addPackages, type Brought, proveBrought, removePackages } from "./steps.ts";

function packagesOf(input: PlaybookInput) {
  const young = otherCluster(input);
  const node = young?.cluster.nodes[0]?.name ?? "";
  return { node, packages: fullOf(young?.reports[node])?.packages };
}

export function packagesOfPlace(input: PlaybookInput): readonly CheckResult[] {
  const { node, packages } = packagesOf(input);
  return packagesCheck(node, packages);
}

const brought: ReadonlySet<string> = new Set(
  ["make-libraries", "make-extensions", "make-socket"].map((id) => `postgresql.${id}`),
);

/** What comes with the packages stops no plan. A unit that is there, and is not as it must be, does. */
export function promisedToMake(input: PlaybookInput, checks: readonly CheckResult[]): readonly CheckResult[] {
  const adds = addsIn(packagesOf(input).packages);
  const packages = adds.flatMap(({ name, version, isNamed }) => (isNamed ? [`${name}=${version}`] : []));
  if (adds.length === 0) return checks;
  const reason = failure("postgresql.comes-with-packages", { packages: packages.join(" ") });
  return checks.map((check): CheckResult => {
    const isAbsent = check.id === "postgresql.make-unit" && check.facts["load"] === "not-found";
    const comes = check.status === "ko" && (isAbsent || brought.has(check.id));
    return comes ? { ...check, status: "not-applicable", reason } : check;
  });
}

function broughtFor({ source, place }: Making): Brought {
  const facts = sourceSide(source.input)?.facts;
  const used = (known(facts?.databases) ?? []).flatMap(({ extensions }) =>
    extensions.map(({ name }) => name),
  );
  return {
    extensions: [...new Set(used)].filter((name) => !place.extensions.includes(name)).sort(),
    libraries: missingLibraries(known(facts?.settings) ?? {}, place.libraries),
  };
}

/** Before the first folder is made. */
export function addedToMake(making: Making): readonly Phase[] {
  const { target } = making;
  const adds = addsIn(fullOf(target.input.reports[target.node])?.packages);
  if (adds.length === 0) return [];
  return [phase("packages", [on(target, addPackages(adds, "server"), proveBrought(broughtFor(making)))])];
}

/** After all that was made has gone. */
export function packagesUnmade(plan: Plan, of: Of) {
  return addsOn(plan).map(() => removePackages(of, "server"));
}

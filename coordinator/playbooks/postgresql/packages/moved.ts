/**
 * Packages of a move into a server that is there: what the old server's databases use and the new one lacks may come with them. It is
 * then no reason to refuse, and is proven right after the installation, before anything else is made.
 */
import { failure } from "#proto/common/failure.ts";
import { known } from "#proto/common/measured.ts";
import type { CheckResult } from "../../../domain/check.ts";
import type { Phase, Plan } from "../../../domain/plan.ts";
import type { PlaybookInput } from "../../../domain/playbook.ts";
import { fullOf } from "../facts.ts";
import { type Move, on, phase, proveServer } from "../move.ts";
import { pglogicalMethod } from "../movers.ts";
import { carriedOf, majorOn, targetSide } from "../sides.ts";
import type { Of } from "../steps/of.ts";
import { addsIn, packagesCheck } from "./check.ts";
import { addsOn } from "./planned.ts";
import { addPackages, type Brought, proveBrought, removePackages } from "./steps.ts";

/** Of the new server's host. */
export function packagesOfTarget(input: PlaybookInput): readonly CheckResult[] {
  const target = targetSide(input);
  return target === undefined ? [] : packagesCheck(target.node.name, target.facts.packages);
}

const coming: ReadonlySet<string> = new Set(
  ["extensions", "target-tools", "target-pglogical"].map((id) => `postgresql.${id}`),
);
const preload = "postgresql.preload";

/** What comes with the packages stops no plan. */
export function promised(input: PlaybookInput, checks: readonly CheckResult[]): readonly CheckResult[] {
  const adds = addsIn(targetSide(input)?.facts.packages);
  if (adds.length === 0) return checks;
  const packages = adds
    .filter(({ isNamed }) => isNamed)
    .map(({ name, version }) => `${name}=${version}`)
    .join(" ");
  return checks.map((check): CheckResult => {
    // a library that a server is told to load and does not find keeps it from starting
    if (check.id === preload)
      return { ...check, facts: { ...check.facts, first: `apt-get install ${packages} there first; ` } };
    const isLacking = check.status === "ko" || check.status === "warn" || check.status === "unknown";
    if (!coming.has(check.id) || !isLacking) return check;
    return {
      ...check,
      status: "not-applicable",
      reason: failure("postgresql.comes-with-packages", { packages }),
    };
  });
}

/** What is there only once they are. */
function broughtTo(input: PlaybookInput): Brought {
  const target = targetSide(input);
  const available = known(target?.facts.available) ?? {};
  const used = (carriedOf(input) ?? []).flatMap(({ extensions }) => extensions.map(({ name }) => name));
  const wanted = input.wish.method === pglogicalMethod ? [...used, "pglogical"] : used;
  const tools = known(target?.facts.toolsMajor);
  const isOld = target !== undefined && (tools === undefined || tools < majorOn(target));
  return {
    extensions: [...new Set(wanted)].filter((name) => available[name] === undefined).sort(),
    libraries: [],
    ...(isOld ? { tools: String(majorOn(target)) } : {}),
  };
}

/** Before all else that is made on the new server. */
export function added({ source, target }: Move): readonly Phase[] {
  const adds = addsIn(fullOf(target.input.reports[target.node])?.packages);
  if (adds.length === 0) return [];
  const brought = broughtTo(source.input);
  return [
    phase("packages", [on(target, proveServer(target), addPackages(adds, "move"), proveBrought(brought))]),
  ];
}

/** The node on which a rollout has installed packages, with the step that takes them away. */
export function packagesBack(plan: Plan, of: Of) {
  return addsOn(plan).map((node) => ({ node, step: removePackages(of, "move") }));
}

/** What the stages of an upgrade are made from, whichever way it goes, and the gates that they share. */
import { known } from "#proto/common/measured.ts";
import type { Form } from "#proto/engines/kwdb.ts";
import type { NodeEntry } from "../../domain/inventory.ts";
import type { GateSpec, PlanProgram, PlanStep } from "../../domain/plan.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { pageAddress, sqlAddress } from "./address.ts";
import { fullOf, runningVersion } from "./facts.ts";
import { containerOf, takesImages } from "./form.ts";
import type { HalfWay } from "./half-way.ts";
import type { KwdbClusterSettings } from "./settings.ts";
import type { StepSet } from "./step-set.ts";
import type { Journey, Staging } from "./steps.ts";
import type { Raise } from "./store-dead.ts";
import type { Way } from "./way.ts";

export interface Upgrade {
  readonly input: PlaybookInput;
  readonly from: string;
  readonly to: string;
  /** sha256 of the package. */
  readonly digest: string;
  readonly form: Form;
  /** What depends on the form. */
  readonly steps: StepSet;
  readonly settings: KwdbClusterSettings;
  readonly way: Way["strategy"];
  readonly raise?: Raise;
  /** The node that comes first, as somebody has left it. */
  readonly half?: HalfWay;
}

export function journeyOf(upgrade: Upgrade, node: NodeEntry): Journey {
  const { input, from, to, settings, way, form, raise } = upgrade;
  const container = containerOf(input, node.name);
  const program = programOf(input, node);
  const others = input.cluster.nodes.filter(({ name }) => name !== node.name);
  return {
    ...stagingOf(upgrade),
    from,
    to,
    form,
    node: node.name,
    ...(container === undefined ? {} : { container: container.name }),
    ...(container?.compose === undefined ? {} : { composeFile: container.compose.file }),
    ...(container?.repeats === undefined ? {} : { repeats: container.repeats }),
    ...(program === undefined ? {} : { program }),
    peers: others.map((other) => sqlAddress(input, other)),
    pages: others.map((other) => pageAddress(input, other)),
    cluster: input.cluster.name,
    ...(settings.archiveData ? { archives: way === "offline" ? "cluster-stop" : "node-image" } : {}),
    ...(raise === undefined ? {} : { raise }),
  };
}

/** Of a build from source: where it stands, and how it is started. */
function programOf({ reports }: PlaybookInput, { name }: NodeEntry): Journey["program"] {
  const facts = fullOf(reports[name]);
  const [build, start] = [known(facts?.build), known(facts?.start)];
  if (build === undefined || start === undefined) return undefined;
  const { unit, argv, cwd } = start;
  return { folder: build.folder, unit, argv, cwd };
}

export function stagingOf({ from, to, digest, settings, form }: Upgrade): Staging {
  const { image, oldPackage } = settings;
  return {
    to,
    digest,
    ...(image === undefined || !takesImages(form) ? {} : { reference: image }),
    ...(oldPackage === undefined ? {} : { old: { digest: oldPackage, version: from } }),
  };
}

export function programOn({ input }: Upgrade, node: NodeEntry, steps: readonly PlanStep[]): PlanProgram {
  return { cluster: input.cluster.name, node: node.name, steps };
}

/** Several versions are separated by commas. */
export function healthy(
  { input: { cluster } }: Pick<Upgrade, "input">,
  versions: string,
  dwellMs: number,
): GateSpec {
  const { everyMs, limitMs } = cluster.gates;
  return {
    gate: "kwdb.cluster-healthy",
    cluster: cluster.name,
    args: { versions, nodes: String(cluster.nodes.length) },
    everyMs,
    dwellMs,
    limitMs: Math.max(limitMs, 3 * dwellMs),
  };
}

export function upgraded({ input, to }: Upgrade, node: NodeEntry): GateSpec {
  const { everyMs, limitMs } = input.cluster.gates;
  return {
    gate: "kwdb.node-upgraded",
    cluster: input.cluster.name,
    args: { node: node.name, version: to, address: sqlAddress(input, node) },
    everyMs,
    dwellMs: 0,
    limitMs,
  };
}

export function ownVersion({ input, from }: Upgrade, { name }: NodeEntry): string {
  return runningVersion(fullOf(input.reports[name])) ?? from;
}

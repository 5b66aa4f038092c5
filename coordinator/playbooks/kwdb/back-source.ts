/**
 * Where the old programs of each node come from. For packages: a package, by its digest. In containers: the image that
 * the engine still has, kept or not; else the package; else the registry, by digest. Compiled: the build that was put
 * aside. What is nowhere is refused before anything is begun.
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { known } from "#proto/common/measured.ts";
import type { Form } from "#proto/engines/kwdb.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import type { Undone } from "../../domain/undone.ts";
import { oldPackageOf } from "./back-checks.ts";
import { argsOf } from "./back-way.ts";
import { fullOf } from "./facts.ts";
import { containerOf, takesImages } from "./form.ts";
import type { KwdbClusterSettings } from "./settings.ts";

export type OldSource =
  | { readonly kind: "package"; readonly digest: string }
  /** The engine has it: `image` is its id, `name` what it was called in the container or compose file. */
  | { readonly kind: "image"; readonly image: string; readonly name: string }
  /** Loaded from the package; a compose file knows it by `name`. */
  | { readonly kind: "package-image"; readonly digest: string; readonly name: string }
  | { readonly kind: "registry"; readonly reference: string }
  | { readonly kind: "build"; readonly folder: string };

export interface Sought {
  readonly back: Undone;
  readonly form: Form;
  readonly nodes: readonly string[];
  readonly settings: KwdbClusterSettings;
}

export type OldSources = Readonly<Record<string, OldSource>>;

/** Refused: `kwdb.back-no-package`, `kwdb.back-no-image`, `kwdb.back-no-build`, `kwdb.back-takes-no-package`. */
export function sourcesOf(input: PlaybookInput, sought: Sought): Outcome<OldSources> {
  switch (sought.form) {
    case "script":
      return packagesFor(input, sought);
    case "compiled":
      return buildsFor(input, sought);
    case "compose-service":
    case "compose":
    case "docker-run":
      return imagesFor(input, sought);
  }
}

function packagesFor(input: PlaybookInput, sought: Sought): Outcome<OldSources> {
  const { nodes, back } = sought;
  const digest = packageOf(input, sought);
  if (digest === undefined)
    return fail("kwdb.back-no-package", { from: back.plan.from, nodes: nodes.join(", ") });
  return succeed(Object.fromEntries(nodes.map((node) => [node, { kind: "package", digest } as const])));
}

function packageOf(input: PlaybookInput, { back, nodes, settings }: Sought): string | undefined {
  const ofRollout = argsOf(back, nodes[0] ?? "", "prove-kept")?.["digest"];
  const named = input.wish.artefact?.digest ?? ofRollout ?? settings.oldPackage;
  return oldPackageOf(input, { named, version: back.plan.from, nodes });
}

function imagesFor(input: PlaybookInput, sought: Sought): Outcome<OldSources> {
  const { nodes, back, form } = sought;
  const digest = packageOf(input, sought);
  const found = nodes.map((node) => [node, imageFor(input, { node, back, form, digest })] as const);
  const lacking = found.filter(([, source]) => source === undefined).map(([node]) => node);
  return lacking.length === 0
    ? succeed(Object.fromEntries(found.flatMap(([node, source]) => (source ? [[node, source]] : []))))
    : fail("kwdb.back-no-image", {
        from: back.plan.from,
        rollout: back.rollout,
        nodes: lacking.join(", "),
        image: lacking.map((node) => imageBefore(back, node)?.name ?? "?").join(", "),
      });
}

interface Wanted {
  readonly node: string;
  readonly back: Undone;
  readonly form: Form;
  readonly digest: string | undefined;
}

function imageFor(input: PlaybookInput, { node, back, form, digest }: Wanted): OldSource | undefined {
  const was = imageBefore(back, node);
  // a rollout that was planned half-way has found the new one there
  const isNew =
    was !== undefined && containerOf(input, node)?.imageId === was.image && runsNew(input, node, back);
  // who names a package means it
  if (input.wish.artefact !== undefined && was !== undefined && digest !== undefined)
    return { kind: "package-image", digest, name: was.name };
  const present = known(fullOf(input.reports[node])?.docker)?.images?.find(({ id }) => id === was?.image);
  const byDigest = was?.name.includes("@sha256:") === true;
  // a name with a digest can be had from its registry alone, and not be given
  if (was !== undefined && !isNew && present !== undefined && (!byDigest || present.names.includes(was.name)))
    return { kind: "image", ...was };
  if (digest !== undefined && was !== undefined) return { kind: "package-image", digest, name: was.name };
  return byDigest && takesImages(form) && !isNew
    ? { kind: "registry", reference: was?.name ?? "" }
    : undefined;
}

function runsNew({ reports }: PlaybookInput, node: string, { plan }: Undone): boolean {
  return known(fullOf(reports[node])?.binary)?.version === plan.to;
}

/** By what the rollout's plan was bound to. */
function imageBefore(
  { plan }: Undone,
  node: string,
): { readonly image: string; readonly name: string } | undefined {
  const [, name, image] =
    /^(\S+) (sha256:[0-9a-f]{64})$/.exec(plan.boundTo[`node.${node}.image`] ?? "") ?? [];
  return name === undefined || image === undefined ? undefined : { name, image };
}

/** Put aside by the rollout itself, and recorded by it file by file. */
function buildsFor(input: PlaybookInput, { back, nodes }: Sought): Outcome<OldSources> {
  const { rollout, plan } = back;
  if (input.wish.artefact !== undefined) return fail("kwdb.back-takes-no-package", { rollout });
  const found = nodes.map((node) => {
    const facts = fullOf(input.reports[node]);
    const build = known(facts?.build);
    const end = `.kept-${plan.from}-${rollout}`;
    const kept = build?.kept.find((folder) => folder.endsWith(end));
    // its exchange was undone, or never made
    const isThere = kept !== undefined || known(facts?.binary)?.version === plan.from;
    const isRecorded = build?.recorded?.includes(rollout) === true;
    const folder = kept ?? build?.folder ?? "";
    return { node, folder, expected: `${build?.folder ?? "FOLDER"}${end}`, isWell: isThere && isRecorded };
  });
  const lacking = found.filter(({ isWell }) => !isWell);
  return lacking.length === 0
    ? succeed(Object.fromEntries(found.map(({ node, folder }) => [node, { kind: "build", folder } as const])))
    : fail("kwdb.back-no-build", {
        from: plan.from,
        rollout,
        nodes: lacking.map(({ node }) => node).join(", "),
        folder: lacking[0]?.expected ?? "",
      });
}

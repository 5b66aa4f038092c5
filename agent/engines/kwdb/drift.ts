/**
 * What a package change has made of the configuration, line by line: rewrites that the vendor's script is known to
 * make, and lines that are gone or changed by nobody's order.
 */

/** Without the folder of the saved copy, for example `kaiwudb/script/kaiwudb_env`. */
export interface SavedFile {
  readonly name: string;
  readonly before: string;
  /** Undefined: the file is not there any more. */
  readonly after: string | undefined;
}

export interface Drift {
  /** The vendor's own rewrites, each as `file: what`. */
  readonly vendor: readonly string[];
  /** Lines that were there and are not, each as `file: line`. */
  readonly lost: readonly string[];
}

type Rewrite = readonly [what: string, rewrite: (line: string) => string];

/** kaiwudb_upgrade.sh, upgrade(), 2.2 to 3.2: in this order, each where it applies. */
const rewrites: readonly Rewrite[] = [
  [
    "legacy path",
    (line) =>
      line.replaceAll("/etc/kwdb/", "/etc/kaiwudb/").replaceAll("/usr/local/kwdb/", "/usr/local/kaiwudb/"),
  ],
  ["KW_START_ARG renamed", (line) => line.replaceAll("KW_START_ARG", "KAIWUDB_START_ARG")],
  [
    "$KAIWUDB_START_ARG wired in",
    (line) => line.replace(/^(ExecStart=\S+ \S+)(?! \$KAIWUDB_START_ARG)/, "$1 $KAIWUDB_START_ARG"),
  ],
];
const imageLine = /^(\s*image:\s*)\S.*$/;
const environmentLine = /^EnvironmentFile=-?\/etc\/kaiwudb\/script\/kaiwudb_env$/;

export function driftOf(files: readonly SavedFile[]): Drift {
  const each = files.map(ofFile);
  return { vendor: each.flatMap(({ vendor }) => vendor), lost: each.flatMap(({ lost }) => lost) };
}

function ofFile({ name, before, after }: SavedFile): Drift {
  if (after === undefined) return { vendor: [], lost: [`${name}: the file is gone`] };
  const isText = /\.(service|ya?ml)$|(^|\/)kaiwudb_env$/.test(name);
  if (!isText) return { vendor: [], lost: before === after ? [] : [`${name}: the file has changed`] };
  const { gone, added } = linesOf(before, after);
  const vendor: string[] = [];
  const lost: string[] = [];
  for (const line of gone) {
    const what = rewrittenIn(line, added);
    if (what === undefined) lost.push(`${name}: ${line.trim()}`);
    else vendor.push(`${name}: ${what}`);
  }
  for (const line of added)
    vendor.push(
      `${name}: ${environmentLine.test(line) ? "EnvironmentFile wired in" : `added: ${line.trim()}`}`,
    );
  return { vendor: [...new Set(vendor)], lost };
}

/** Lines by how often they stand there; their order and empty ones mean nothing. */
function linesOf(
  before: string,
  after: string,
): { readonly gone: readonly string[]; readonly added: string[] } {
  const added = after.split("\n").filter((line) => line.trim() !== "");
  const gone: string[] = [];
  for (const line of before.split("\n").filter((each) => each.trim() !== "")) {
    const at = added.indexOf(line);
    if (at === -1) gone.push(line);
    else added.splice(at, 1);
  }
  return { gone, added };
}

/** What the vendor has made of this line; what stands there now is taken out of `added`. */
function rewrittenIn(line: string, added: string[]): string | undefined {
  const told: string[] = [];
  let now = line;
  for (const [what, rewrite] of rewrites) {
    const next = rewrite(now);
    if (next !== now) told.push(what);
    now = next;
    const at = added.indexOf(now);
    if (told.length === 0 || at === -1) continue;
    added.splice(at, 1);
    return told.join(", ");
  }
  const [, indent] = imageLine.exec(line) ?? [];
  const at = added.findIndex((other) => indent !== undefined && imageLine.exec(other)?.[1] === indent);
  if (at === -1) return undefined;
  return `${line.trim()} is now ${added.splice(at, 1)[0]?.trim()}`;
}

/** A server's configuration for its successor, as text: names of places changed, and what the new version does not know put aside. */

export interface Replacement {
  readonly from: string;
  readonly to: string;
}

export interface Complaint {
  readonly name: string;
  readonly file: string;
  readonly line: number;
}

/** Settings that have another name since, and what a person has to mind. */
export const renamed: Readonly<Record<string, string>> = {
  wal_keep_segments: "wal_keep_size, in megabytes",
  force_parallel_mode: "debug_parallel_query",
  checkpoint_segments: "max_wal_size",
};

const mark = "#lockkeeper: not known to the new version: ";

/** Whole names only: a folder beside it that begins alike is another one. */
export function withPlaces(text: string, places: readonly Replacement[]): string {
  return places.reduce(
    (found, { from, to }) =>
      found.replaceAll(new RegExp(`(?<![\\w-])${literally(from)}(?![\\w-])`, "g"), () => to),
    text,
  );
}

/** `postgresql@17-main` and its successor differ in `17-main`, and so do its pid file and its name on Debian. */
export function placesOf(
  old: { readonly unit: string; readonly data: string; readonly config: string },
  young: { readonly unit: string; readonly data: string; readonly config: string },
): readonly Replacement[] {
  const pairs = [
    { from: old.data, to: young.data },
    ...(old.config === old.data ? [] : [{ from: old.config, to: young.config }]),
  ];
  const [from, to] = [instanceOf(old.unit), instanceOf(young.unit)];
  if (from === undefined || to === undefined) return pairs;
  return [...pairs, { from, to }, { from: from.replace("-", "/"), to: to.replace("-", "/") }];
}

function instanceOf(unit: string): string | undefined {
  return /@(\d+-[\w-]+)(\.service)?$/.exec(unit)?.[1];
}

/** Names of the settings whose lines differ. */
export function settingsChanged(before: string, after: string): readonly string[] {
  const lines = after.split("\n");
  return before.split("\n").flatMap((line, index) => {
    const name = /^\s*(\w+)\s*=/.exec(line)?.[1];
    return name === undefined || line === lines[index] ? [] : [name];
  });
}

/** As `postgres -C` tells them: one line for each. Everything else it says is a reason to stop. */
export function complaintsIn(stderr: string): {
  readonly unknown: readonly Complaint[];
  readonly other: readonly string[];
} {
  const unknown: Complaint[] = [];
  const other: string[] = [];
  for (const line of stderr.split("\n")) {
    const found = /unrecognized configuration parameter "([^"]+)" in file "([^"]+)" line (\d+)/.exec(line);
    if (found !== null) unknown.push({ name: found[1] ?? "", file: found[2] ?? "", line: Number(found[3]) });
    else if (
      /(?:^| )(?:LOG|FATAL|ERROR|PANIC): /.test(line) &&
      !/contains errors|skipping missing/.test(line)
    )
      other.push(line.trim());
  }
  return { unknown, other };
}

/** Those lines as comments; numbered from 1. */
export function putAside(text: string, lines: readonly number[]): string {
  return text
    .split("\n")
    .map((line, index) => (lines.includes(index + 1) && !line.startsWith(mark) ? `${mark}${line}` : line))
    .join("\n");
}

/** Files that a configuration takes in from its own folder. */
export function includesIn(
  text: string,
): readonly { readonly kind: "file" | "folder"; readonly path: string }[] {
  return text.split("\n").flatMap((line) => {
    const found = /^\s*(include|include_if_exists|include_dir)\s*=?\s*'([^']+)'/.exec(line);
    if (found === null) return [];
    return [
      { kind: found[1] === "include_dir" ? ("folder" as const) : ("file" as const), path: found[2] ?? "" },
    ];
  });
}

function literally(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

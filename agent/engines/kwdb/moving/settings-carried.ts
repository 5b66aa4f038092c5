/** Which cluster settings go along to the new cluster, and why the others do not: as data. */

interface Left {
  readonly name: RegExp;
  readonly why: string;
}

const left: readonly Left[] = [
  { name: /^version$/, why: "it is the cluster's own" },
  { name: /^cluster\.preserve_downgrade_option$/, why: "it speaks of the old cluster's versions" },
  { name: /^default_transaction_read_only\.enabled$/, why: "it is the fence of this move" },
  {
    name: /^ts\.raft_log\.sync_period$/,
    why: "its default differs by version: set it by hand where it is wanted",
  },
  { name: /secret|license|organization/, why: "it belongs to one cluster" },
];

export interface Sorted {
  readonly carried: readonly { readonly name: string; readonly value: string; readonly statement: string }[];
  readonly left: readonly { readonly name: string; readonly why: string }[];
}

/** `here`: what the new cluster knows, by name. Those that are alike on both are in neither list. */
export function sortSettings(text: string, here: Readonly<Record<string, string>>): Sorted {
  const sorted = { carried: [] as Sorted["carried"][number][], left: [] as Sorted["left"][number][] };
  for (const statement of text.split(/;[ \t]*(?:\r?\n|$)/).map((each) => each.trim())) {
    if (statement === "") continue;
    const [, name, written] = /^SET CLUSTER SETTING ([\w.]+)\s*(?:=|TO)\s*(.*)$/is.exec(statement) ?? [];
    if (name === undefined || written === undefined) {
      sorted.left.push({ name: statement.slice(0, 80), why: "it is no statement that is known" });
      continue;
    }
    const value = /^'.*'$/s.test(written) ? written.slice(1, -1).replaceAll("''", "'") : written;
    const why = left.find((each) => each.name.test(name))?.why;
    if (why !== undefined) sorted.left.push({ name, why });
    else if (here[name] === undefined) sorted.left.push({ name, why: "the new version does not know it" });
    else if (here[name] !== value) sorted.carried.push({ name, value, statement });
  }
  return sorted;
}

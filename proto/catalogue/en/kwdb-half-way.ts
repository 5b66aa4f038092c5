import type { Catalogue } from "../render.ts";

/** A node that was left half-changed: how that is seen, and which of two ways a plan goes with it. */
export const kwdbHalfWay: Catalogue = {
  "evidence.kwdb.serving": { says: "{node} serves at {running}" },
  "evidence.kwdb.stopped": { says: "{node} is whole at {file}, and stopped" },
  "evidence.kwdb.under-the-process": {
    says: "{node}: the programs were changed to {binary} under a process of {running}, which goes on",
  },
  "evidence.kwdb.packages-gone": {
    says: "{node}: the packages of {file} were removed and no server is installed: the change failed, or was cut short",
  },
  "evidence.kwdb.version-file-behind": {
    says: "{node}: {binary} is installed and the version file says {file}: it was cut short before its last copy",
  },
  "evidence.kwdb.version-file-ahead": {
    says: "{node}: the version file says {file} and {binary} is installed: a way back was cut short, or the files were changed by hand",
  },
  "evidence.kwdb.no-version-file": { says: "{node} has no version file; the binary is {binary}" },
  "evidence.kwdb.unknown": {
    says: "{node}: what it is at is not known (version file {file}, binary {binary}, process {running})",
  },
  "check.kwdb.half-way": { says: "no node was left half-changed" },
  "check.kwdb.half-way.unknown": {
    says: "it was left half-changed outside any rollout (version file {file}, binary {binary}, process {running}); this plan brings it to {to}, and the plan names what else can be done",
    next: 'apply … --ack kwdb.half-way --reason "why this one of the two"',
  },
  "half-way.kwdb.finish-anew": {
    says: "{node} comes first, and is brought to {to}: `deploy.sh upgrade -l` runs there again with the package of {to}; the version file ({file}) lets it, and both packages are installed anew",
  },
  "half-way.kwdb.finish-behind": {
    says: "{node} comes first, and is brought to {to}: `deploy.sh upgrade -l` runs there again, since its last deed, the version file ({file}), is missing; installing the same packages once more does no harm",
  },
  "half-way.kwdb.finish-whole": {
    says: "{node} comes first: its files are at {to} already and are not installed again; it is stopped where it still runs, started, and proven",
  },
  "half-way.kwdb.back": {
    says: "{node} gets the package of {was} back, on the data that it has; no other node is touched",
  },
  "half-way.kwdb.configuration-stays": {
    says: "the configuration of {node} stays as it is: nobody has saved it before, and what it is now is saved first",
  },
  "half-way.kwdb.or-back": {
    says: "instead, the old package can be put back on {node}: lockkeeper plan {cluster} --to {was} --artefact KWDB-{was}.tar.gz",
  },
  "half-way.kwdb.no-back": {
    says: "the old package is not put back on {node} by a plan: {newer} may have written to its data, and {was} cannot read that. By hand: kwbase node decommission ID on another node, rm of its data folder, the old package, and start with --join",
  },
  "half-way.kwdb.or-finish": {
    says: "instead, {to} can be finished, first on {node} and then on the others: lockkeeper plan {cluster} --to {to} --artefact KWDB-{to}.tar.gz",
  },
  "half-way.kwdb.not-drained": {
    says: "{node} still runs and its client is gone: it is stopped without a drain, and its clients are cut off",
  },
  "half-way.kwdb.flag": {
    says: "{node} has the mark or the flag of an online upgrade: it is started once with --upgrade-complete, and the flag goes afterwards",
  },
  "kwdb.half-way-script-refuses": {
    says: "{node}: the version file says {file} and the binary is {binary}: deploy.sh would refuse its own version, and {to} cannot be finished there as it is",
    next: "lockkeeper plan CLUSTER --to {was} --artefact KWDB-{was}.tar.gz, which puts the old package back; or by hand, with the database stopped: write {was} into /etc/kaiwudb/info/.version, then plan again",
  },
  "kwdb.half-way-other-version": {
    says: "{node} was left half-changed on the way to another version than {to}: version file {file}, binary {binary}, process {running}",
    next: "plan to that version first, or put the old package back: lockkeeper plan CLUSTER --to {was} --artefact KWDB-{was}.tar.gz",
  },
  "kwdb.half-way-other-format": {
    says: "{newer} may have written to the data of {node}, in a format that {was} cannot read: the old package is not put back there",
    next: "finish it: lockkeeper plan {cluster} --to {newer} --artefact KWDB-{newer}.tar.gz; or by hand: kwbase node decommission ID on another node, rm of its data folder, the old package, and start with --join",
  },
  "kwdb.half-way-no-package": {
    says: "nobody knows the package of {was}: {node} has kept none, and none is named",
    next: "lockkeeper plan {cluster} --to {was} --artefact KWDB-{was}.tar.gz",
  },
};

import type { Catalogue } from "../render.ts";

/** The way back of KWDB: what its verbs refuse, and what its plan asks. */
export const kwdbBack: Catalogue = {
  "kwdb.old-package-not-installed": {
    says: "the old package is not back: {target} wanted, version file {versionFile}, binary {binary}; {file}: {cause}",
    next: "mend the cause on that host, then: lockkeeper retry ROLLOUT",
  },
  "kwdb.restore-of-running": {
    says: "the database runs (MainPID {mainPid}): nothing is put back under its feet",
    next: "find out who started it",
  },
  "kwdb.saved-missing": {
    says: "there is no configuration that {rollout} has saved: {folder}",
    next: "put /etc/kaiwudb and the unit back by hand: docs/kwdb.md, The way back",
  },
  "kwdb.saved-of-another": {
    says: "the configuration in {folder} was saved by {found}, not by {rollout}: it is not put back",
  },
  "kwdb.saved-not-original": {
    says: "the configuration in {folder} was saved only after {rollout} had begun to change the node: it is not the old one",
    next: "put /etc/kaiwudb and the unit back by hand: docs/kwdb.md, The way back",
  },
  "kwdb.saved-changed": {
    says: "the saved configuration in {folder} is not as it was saved: {file}",
    next: "put /etc/kaiwudb and the unit back by hand: docs/kwdb.md, The way back",
  },
  "kwdb.archive-not-of-stop": {
    says: "{file} is not the archive to go back to: {why}",
    next: "docs/kwdb.md, The way back",
  },
  "kwdb.data-folder-is-mount": {
    says: "{folder} is a file system of its own and cannot be renamed aside",
    next: "put the data back by hand: docs/kwdb.md, The way back",
  },
  "kwdb.data-not-restored": { says: "the data could not be put back from {file}: {cause}" },
  "kwdb.back-not-served": {
    says: "{cluster} is deployed by {deployment}, and {rollout} went by {method}: a way back is planned for the deployment that the rollout has changed",
    next: "docs/kwdb.md, The way back, by hand",
  },
  "kwdb.back-no-image": {
    says: "the image of {from} ({image}) is not in the engine of {nodes} any more, no package of {from} is named, and the rollout had none of a registry by digest",
    next: "lockkeeper plan --back ROLLOUT --artefact KWDB-{from}-container.tar.gz",
  },
  "kwdb.back-takes-no-package": {
    says: "a build from source goes back to the build that {rollout} has put aside, and to no package",
    next: "lockkeeper plan --back ROLLOUT, with no package named",
  },
  "kwdb.back-no-build": {
    says: "{nodes}: {folder} with the build of {from} is not there, or {rollout} has not recorded its files: what it should hold nobody knows",
    next: "put the build of {from} in its place by hand, and start it as before: docs/kwdb.md, Compiled from source",
  },
  "kwdb.back-data-in-volume": {
    says: "the data of {node} is in the engine's volume {volume}: it is not put back from an archive, since what is laid beside it goes with the volume",
    next: "--strategy rolling goes back on the data that is there; or unpack the archive into the volume by hand",
  },
  "kwdb.data-in-volume": {
    says: "the data is in the engine's volume {volume} ({folder}): nothing is laid beside it, since it would go with the volume",
    next: "unpack the archive into the volume by hand: docs/kwdb.md, The way back",
  },
  "kwdb.image-name-taken": {
    says: "{image} is the name of another image by now ({found}): it is not taken away from it",
    next: "docker tag that one by another name, docker rmi {image}, then retry",
  },
  "kwdb.image-not-named": { says: "the old image could not be given its name {image}: {cause}" },
  "check.kwdb.back-image": { says: "the old image of {version} is there: {image}" },
  "check.kwdb.back-image.warn": {
    says: "it is not in the engine, and is pulled by its digest before anything is stopped",
  },
  "check.kwdb.back-build": { says: "the build of {version} is kept in {folder}" },
  "kwdb.back-nothing": {
    says: "every node that {rollout} has changed serves at {from} again: there is nothing to go back from",
  },
  "kwdb.back-no-package": {
    says: "nobody knows the package of {from}: {nodes} have kept none in common, and the rollout named none",
    next: "lockkeeper plan --back ROLLOUT --artefact KWDB-{from}.tar.gz",
  },
  "kwdb.back-no-archives": {
    says: "{to} has run on {cluster}, and {nodes} have no proven archive of the common stop in {rollout}: an image of some nodes is no way back for all",
    next: "a new cluster of {from}, from an export of this one: docs/kwdb.md, The way back",
  },
  "kwdb.back-other-format": {
    says: "{from} to {to} changes the format of the data: {from} cannot be started on it again",
    next: "one node: kwbase node decommission ID on another, then rm of its data folder, the old package, and start with --join; all: export and import into a new cluster",
  },
  "kwdb.writes-not-counted": { says: "how much was written since {since} is measured by nobody" },
  "kwdb.no-downgrade-documented": {
    says: "the vendor documents no downgrade in place from {to} to {from}; in its source both read one format",
  },
  "check.kwdb.writes-lost": { says: "nothing that was written is lost: the data stays as it is" },
  "check.kwdb.writes-lost.unknown": {
    says: "on {nodes} the data becomes what it was at {since}: all that was written since is lost to the database; the folders of now are kept aside",
    next: 'apply … --ack kwdb.writes-lost --reason "who has agreed"',
  },
  "check.kwdb.back-on-kept-data": { says: "the old version may be started on the data of the new" },
  "check.kwdb.back-on-kept-data.unknown": {
    says: "{from} is started on data that {to} has written: the format is the same in the vendor's source, and the vendor documents no such way",
    next: 'apply … --ack kwdb.back-on-kept-data --reason "tried on …"',
  },
  "check.kwdb.back-package": { says: "the package of {version} is kept on the node ({digest})" },
  "check.kwdb.back-package.warn": { says: "it is not there, and is fetched before anything is stopped" },
  "check.kwdb.back-package.ko": { says: "the package {digest} is of {found}, not of {version}" },
  "check.kwdb.back-package.unknown": { says: "the kept packages could not be read" },
  "check.kwdb.back-configuration": {
    says: "the configuration that {rollout} has saved is whole, and as it is now",
  },
  "check.kwdb.back-configuration.warn": {
    says: "it is whole; going back changes these again, and what they are now is saved first: {files}",
  },
  "check.kwdb.back-configuration.ko": {
    says: "there is none, or it is not as it was saved",
    next: "put /etc/kaiwudb and the unit back by hand: docs/kwdb.md, The way back",
  },
  "check.kwdb.back-configuration.unknown": { says: "what was saved could not be read" },
  "gate.kwdb.others-healthy": {
    says: "all of the {nodes} nodes but {node} live at {versions}, no range unavailable (none under-replicated where it still runs), no blocking job, seen from each of them",
  },
  "warning.kwdb.writes-lost": {
    says: "the data goes back to the common stop; what was written since is lost to the database",
  },
  "warning.kwdb.data-kept": { says: "the data stays as it is: nothing that was written is lost" },
  "way-back.kwdb.back-before": {
    says: "before the point of no return: lockkeeper abort ROLLOUT, and all is as it was",
  },
  "way-back.kwdb.back-after": {
    says: "after it: go on (lockkeeper retry ROLLOUT), or make the plan anew; data folders of before stay where they are, aside",
  },
  "way.kwdb.go-on-back": { says: "mend the node and go on with the way back: lockkeeper retry ROLLOUT" },
  "way.kwdb.back-anew": {
    says: "make the way back anew from the same rollout (lockkeeper plan --back ROLLOUT); its apply takes over from this one",
  },
  "back.kwdb.untouched": { says: "{node} is left as it is" },
  "back.kwdb.package": {
    says: "{node} gets the package and the configuration of {to} back, on the data that it has",
  },
  "back.kwdb.package-and-data": {
    says: "{node} gets the package, the configuration and the data of {to} back, from the common stop",
  },
  "back.kwdb.image": { says: "{node} gets the image of {to} back, on the data that it has" },
  "back.kwdb.image-and-data": {
    says: "{node} gets the image and the data of {to} back, from the common stop",
  },
  "back.kwdb.build": {
    says: "{node} gets the kept build of {to} and its start back, on the data that it has",
  },
  "back.kwdb.build-and-data": {
    says: "{node} gets the kept build, its start and the data of {to} back, from the common stop",
  },
  "back.kwdb.data-only": { says: "{node} gets its data of the common stop back" },
  "kwdb.configuration-not-restored": { says: "the saved configuration could not be put back: {cause}" },
  "way-back.kwdb.put-back-after": {
    says: "after it: go on (lockkeeper retry ROLLOUT), or make a plan to the newer version",
  },
};

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
  "kwdb.nothing-to-mend": { says: "{cluster} has no left-overs of an online upgrade" },
  "kwdb.mend-not-served": {
    says: "{nodes}: a mark or flag of an online upgrade on {cluster}, which deploy.sh did not install: somebody has typed it, and the words of the start are that person's to change",
    next: "stop the node, put --upgrade-complete among the words of its start (docker-compose.yml, docker run, your unit), start it, see is_available=true, take the words out again; then check --fix for server.time_until_store_dead",
  },
  "kwdb.mend-half-way": {
    says: "{node} has the mark of an online upgrade and is half-way: version file {file}, binary {binary}, process {running}; stopped, it would not start again as it is",
    next: "while the others are well: systemctl stop kaiwudb; ./deploy.sh upgrade -l with the package that was being installed; then lockkeeper check, and check --fix for the mark",
  },
  "kwdb.mend-several": {
    says: "{nodes} are marked as upgrading at once: the vendor's own command marks one at a time",
    next: "start one of them by hand with --upgrade-complete, then check again",
  },
  "kwdb.mend-value": { says: '"{value}" is no duration', next: "--store-dead 45m" },
  "kwdb.environment-without-arguments": {
    says: '{file} has no line KAIWUDB_START_ARG="…": the flag has no place there',
  },
  "kwdb.compose-without-start": {
    says: "{file} has not just one `kwbase start` in a command line: --upgrade-complete has no place there, or does not go without another word",
    next: "change the command in it by hand, then docker-compose up -d in its folder",
  },
  "kwdb.environment-not-written": { says: "{file} could not be written: {cause}" },
  "kwdb.store-dead-of-somebody": {
    says: "server.time_until_store_dead is {found}, not {wanted}: somebody has set it meanwhile, and it is left alone",
  },
  "kwdb.store-dead-not-known": {
    says: "an online upgrade sets it to three hours, and what it was before is written nowhere",
  },
  "check.kwdb.store-dead-wanted": { says: "{setting} is to be {wanted} ({shown} now)" },
  "check.kwdb.store-dead-wanted.unknown": {
    says: "it is {shown}; nobody has said what it was: it becomes the vendor's default, {wanted}",
    next: "--store-dead 45m names another value",
  },
  "check.kwdb.store-dead-left": {
    says: "server.time_until_store_dead is not left over from an online upgrade ({shown})",
  },
  "check.kwdb.store-dead-left.warn": {
    says: "it is {shown}, as `kwbase node upgrade` leaves it: a node that dies is replaced only after that long",
    next: "lockkeeper check {cluster} --fix, if nobody has chosen that",
  },
  "check.kwdb.store-dead-left.unknown": { says: "the setting could not be read" },
  "mend.not-served": { says: "nothing of {engine} is mended by itself" },
  "mend.kwdb.marked": {
    says: "{node} is marked as upgrading: it is stopped and started once with --upgrade-complete, which takes the mark off; then the flag goes",
  },
  "mend.kwdb.flag": { says: "{node} has --upgrade-complete in {file}: it is taken out, all else stays" },
  "mend.kwdb.store-dead": { says: "{setting} is {shown}, and becomes {wanted}" },
  "warning.kwdb.mend-restarts": { says: "one node is stopped and started; its clients are cut off" },
  "kwdb.back-not-served": {
    says: "{cluster} is deployed by {deployment}, and {rollout} went by {method}: a way back is planned for the deployment that the rollout has changed",
    next: "docs/kwdb.md, The way back, by hand",
  },
  "kwdb.back-no-image": {
    says: "the image of {from} ({image}) is not in the engine of {nodes} any more, no package of {from} is named, and the rollout had none of a registry by digest",
    next: "lockkeeper plan --back … --artefact KWDB-{from}-container.tar.gz",
  },
  "kwdb.back-takes-no-package": {
    says: "a build from source goes back to the build that {rollout} has put aside, and to no package",
    next: "lockkeeper plan --back …, with no package named",
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
    next: "lockkeeper plan --back … --artefact KWDB-{from}.tar.gz",
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
    says: "before the point of no return: lockkeeper abort, and all is as it was",
  },
  "way-back.kwdb.back-after": {
    says: "after it: go on (lockkeeper retry), or make the plan anew; data folders of before stay where they are, aside",
  },
  "way.kwdb.go-on-back": { says: "mend the node and go on with the way back: lockkeeper retry" },
  "way.kwdb.back-anew": {
    says: "make the way back anew from the same rollout (lockkeeper plan --back); its apply takes over from this one",
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
  "kwdb.configuration-not-restored": { says: "the saved configuration could not be put back: {cause}" },
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
  "way-back.kwdb.put-back-after": {
    says: "after it: go on (lockkeeper retry), or make a plan to the newer version",
  },
};

import type { Catalogue } from "../render.ts";

export const kwdb: Catalogue = {
  "kwdb.version-unknown": {
    says: "the running version of {cluster} is not known",
    next: "lockkeeper check {cluster} --to VERSION",
  },
  "kwdb.version-unreadable": { says: '"{version}" is not a KWDB version', next: "write it like 3.1.0" },
  "kwdb.same-version": { says: "the cluster already runs {version}" },
  "kwdb.downgrade": {
    says: "{from} to {to} is a downgrade, which KWDB cannot do in place",
    next: "the way back is a backup, or export and import into a new cluster",
  },
  "kwdb.major-by-script": {
    says: "{from} to {to} crosses a major version: the script would replace the files, and the node would not start",
    next: "lockkeeper plan CLUSTER --to {to} --method export-import --into NEW, where NEW is a new cluster of {to}",
  },
  "kwdb.hop-not-documented": {
    says: "{from} to {to} is not a documented hop",
    next: "documented from {from}: {allowed}",
  },
  "kwdb.deployment-not-served": {
    says: "{cluster} is deployed by {deployment}: this version upgrades script deployments only",
    next: "docs/kwdb.md has the documented procedure by hand",
  },
  "kwdb.strategy-not-served": {
    says: "a {topology} cluster cannot be upgraded {strategy}: its versions may not serve mixed",
    next: "--strategy {open}",
  },
  "kwdb.method-not-served": {
    says: "{cluster} is deployed by {deployment}: method {method} is not served for it",
    next: "--method {open}",
  },
  "kwdb.version-with-tag": {
    says: "{version} has a tag: packages of one number differ by it alone, and a node does not tell which its binary is of",
    next: "name a version without a tag; a hotfix is installed by hand, with the vendor's deploy.sh",
  },
  "downtime.kwdb.each-node": {
    says: "none of the cluster; each of the {nodes} nodes is away for at most {minutes} minutes, one after the other",
  },
  "downtime.kwdb.all": { says: "the whole cluster, at most {minutes} minutes ({nodes} nodes)" },
  "lost.kwdb.nothing": { says: "nothing that was written" },
  "kwdb.target-missing": { says: "to which version?", next: "add --to VERSION" },
  "kwdb.package-missing": {
    says: "the package of {to} is not named",
    next: "lockkeeper artefact push KWDB-{to}.tar.gz, then add --sha256 DIGEST",
  },
  "kwdb.node-unknown": { says: "{node} does not say how its database is" },
  "kwdb.nodes-missing": { says: "{from} sees {seen} of {expected} nodes" },
  "kwdb.node-not-well": { says: "seen from {from}, node {id} at {address} is not well: {why}" },
  "kwdb.node-not-ready": { says: "{node} is not ready" },
  "kwdb.node-version": { says: "{node} runs {running}, not yet {target}" },
  "kwdb.node-not-seen": {
    says: "{from} does not see {node} live at its new version (it sees build {build})",
  },
  "kwdb.ranges-not-well": {
    says: "{unavailable} ranges unavailable, {underReplicated} under-replicated (seen from {from})",
  },
  "kwdb.jobs-running": { says: "jobs run that forbid taking a node away: {jobs}" },
  "kwdb.views-differ": { says: "the nodes see different clusters: {views}" },
  "kwdb.file-and-process-differ": { says: "{node}: the files say {file}, the process is {running}" },
  "kwdb.archive-of-stop": {
    says: "archive {path}, {bytes} bytes, of {version} at {madeAt}, rollout {rollout}: part of a cluster's backup, {proven}",
  },
  "kwdb.archive-of-node": {
    says: "archive {path}, {bytes} bytes, of {version} at {madeAt}, rollout {rollout}: not a cluster backup, {proven}",
  },
  "kwdb.archive-strange": { says: "archive {path}, {bytes} bytes: it does not say whose it is" },
  "kwdb.unit-needs-reload": { says: "{node}: kaiwudb.service changed on disk and was not reloaded" },
  "gate.kwdb.cluster-healthy": {
    says: "all {nodes} nodes live at {versions}, all replicas there, no blocking job, seen from every node",
  },
  "gate.kwdb.node-upgraded": {
    says: "{node} runs {version}, by its own process and seen from every other node",
  },
  "warning.kwdb.no-downgrade": {
    says: "the vendor documents no downgrade in place: read the ways back of this plan before you begin",
  },
  "warning.kwdb.jobs-may-fail": {
    says: "compression and retention jobs may fail on the node in work, and come right afterwards",
  },
  "warning.kwdb.downtime": {
    says: "the database serves nobody from the stop of its first node until all are up again",
  },
  "warning.kwdb.no-cluster-backup": {
    says: "the archives are images of single nodes, each from another moment: not a cluster backup, and putting one back into the cluster is supported by nobody",
  },
  "warning.kwdb.no-new-raft-log": {
    says: "an upgrade from 3.0 in place does not gain the new time-series raft log; only a fresh cluster of 3.1 or later does",
  },
  "way-back.kwdb.before": {
    says: "before deploy.sh runs on a node: the service is started again, nothing has changed",
  },
  "way-back.kwdb.one-node": {
    says: "after it failed on one node: finish the new version there, or reinstall the kept old package on the kept data",
  },
  "way-back.kwdb.all-stopped": {
    says: "after it failed while all is stopped: finish the new version on that node, or reinstall the kept old package on every node that was changed; nothing is started before that",
  },
  "way.kwdb.go-on-with-node": { says: "mend the node and go on with it: lockkeeper retry" },
  "way.kwdb.old-version-back": {
    says: "put the kept old package back on the nodes that were changed, and start all at the old version",
  },
  "way-back.kwdb.all": {
    says: "when all is upgraded and regretted: lockkeeper plan --back, on the data that is there where versions may serve mixed, else from the archives of the common stop, which loses later writes; without either, an export into a new cluster of the old version",
  },
  "check.kwdb.version-hop": { says: "the hop from {from} to {to} is documented and served" },
  "check.kwdb.version-hop.ko": { says: "it is not" },
  "check.kwdb.version-hop.unknown": { says: "the running version is not known" },
  "check.kwdb.rolling-from-3-0": { says: "the vendor's pages agree on {from} to {to}" },
  "check.kwdb.rolling-from-3-0.unknown": {
    says: "they do not: the upgrade guide says node by node, the release notes of 3.1.0 and of 3.2.1 say offline; choose with open eyes",
  },
  "check.kwdb.installer-of-3-2": { says: "the vendor's pages describe this installer for {to}" },
  "check.kwdb.installer-of-3-2.unknown": {
    says: "they do not: from 3.2 they know the .run installer, whose questions no program can answer; deploy.sh is in the sources of 3.2 and on no page",
  },
  "check.kwdb.hop-settings": { says: "{variable} is {value}, as this hop needs it" },
  "check.kwdb.hop-settings.ko": {
    says: "{variable} is {found}",
    next: "SET CLUSTER SETTING {variable} = '{value}'; then plan anew: the first gate waits until it has its effect",
  },
  "check.kwdb.package-given": { says: "the package is named: {name}" },
  "check.kwdb.package-given.ko": {
    says: "it is not",
    next: "lockkeeper artefact push FILE, then --sha256 DIGEST",
  },
  "check.kwdb.node-count": { says: "{nodes} nodes are enough for a {topology} cluster, and not too many" },
  "check.kwdb.node-count.ko": {
    says: "{nodes} nodes do not make a {topology} cluster: multi-replica has three or more, single-replica two or more, standalone one",
  },
  "check.kwdb.all-nodes-listed": { says: "the inventory lists every node ({listed} listed, {seen} seen)" },
  "check.kwdb.all-nodes-listed.ko": {
    says: "it does not: nobody would look after the others",
    next: "lockkeeper cluster discover",
  },
  "check.kwdb.all-nodes-listed.unknown": { says: "not every node told which nodes there are" },
  "check.kwdb.views-agree": { says: "all nodes see one cluster" },
  "check.kwdb.views-agree.ko": {
    says: "they do not: {views}",
    next: "kwbase node status   (on each of them)",
  },
  "check.kwdb.views-agree.unknown": { says: "not every node told what it sees" },
  "check.kwdb.ranges": { says: "no range unavailable or under-replicated" },
  "check.kwdb.ranges.ko": {
    says: "{unavailable} unavailable, {underReplicated} under-replicated",
    next: "wait until the replicas are there again, or bring the missing node back",
  },
  "check.kwdb.ranges.unknown": { says: "the replica metrics could not be read" },
  "check.kwdb.jobs": { says: "no schema change, import, export, restore or rebalance runs" },
  "check.kwdb.jobs.ko": { says: "these run: {jobs}", next: "wait for them, or PAUSE JOB id" },
  "check.kwdb.jobs.unknown": { says: "SHOW JOBS could not be asked" },
  "check.kwdb.spread": { says: "leaseholders and replicas are spread evenly ({leaseholders}; {replicas})" },
  "check.kwdb.spread.warn": {
    says: "one node has more than 1.5 times the mean: {leaseholders} leaseholders, {replicas} replicas",
  },
  "check.kwdb.spread.ko": {
    says: "a live node has none: {leaseholders} leaseholders, {replicas} replicas",
    next: "let the cluster rebalance first",
  },
  "check.kwdb.spread.unknown": { says: "the spread could not be read" },
  "check.kwdb.clients": { says: "clients talk to several nodes (sessions per node: {sessions})" },
  "check.kwdb.clients.warn": {
    says: "these use one node only and will be cut off: {lonely}",
    next: "give them several addresses, or a load balancer",
  },
  "check.kwdb.clients.unknown": { says: "the sessions could not be counted" },
  "check.kwdb.outage-budget": { says: "a node's outage fits into server.time_until_store_dead ({limit})" },
  "check.kwdb.outage-budget.warn": {
    says: "it does not ({minutes} min): the setting is raised to {raised} while a node is away, and put back",
  },
  "check.kwdb.outage-budget.ko": {
    says: "it does not ({minutes} min): replicas would be moved away meanwhile",
    next: "SET CLUSTER SETTING server.time_until_store_dead to more, or settings: { raise-store-dead: true } for this cluster",
  },
  "check.kwdb.outage-budget.unknown": {
    says: "the setting, or how long a node's archive takes, could not be measured",
  },
  "check.kwdb.store-dead-raised": { says: "no earlier upgrade has left server.time_until_store_dead raised" },
  "check.kwdb.store-dead-raised.warn": {
    says: "rollout {rollout} has raised it to {raised} from this node and not put it back (before: {was})",
    next: "{command}",
  },
  "check.kwdb.store-dead-raised.unknown": { says: "what an earlier upgrade has kept could not be read" },
  "warning.kwdb.store-dead-raised": {
    says: "server.time_until_store_dead is raised while a node is away: a node that dies then is given up later",
  },
  "check.kwdb.version-tag": { says: "what runs is a release, or all that its tag stands for is in {to}" },
  "check.kwdb.version-tag.unknown": {
    says: "{nodes}: a release with a tag, as a hotfix has",
    next: 'ask the vendor whether {to} has what that tag stands for, and keep that very package; then --ack kwdb.version-tag --reason "…"',
  },
  "kwdb.tag-not-compared": { says: "releases say nowhere which tagged ones they hold" },
  "check.kwdb.backup": { says: "there is a backup to go back to" },
  "check.kwdb.backup.warn": {
    says: "each node's data is archived while the others go on: images of nodes, no backup of the cluster",
    next: "--strategy offline archives all nodes of one stop; or copy the data elsewhere first",
  },
  "check.kwdb.backup.unknown": {
    says: "KWDB has no online backup: only you know where the data was copied, and when",
    next: 'apply … --ack kwdb.backup --reason "copied to …, from …", or settings: { archive-data: true } for this cluster',
  },
  "check.kwdb.settings": { says: "the settings of the cluster's entry are understood" },
  "check.kwdb.settings.ko": {
    says: "{name}: {value} is not",
    next: "archive-data and raise-store-dead: true or false; keep-archives: a number from 1; old-package: a sha256; await-jobs: a duration; image: repository@sha256:…",
  },
  "check.kwdb.data-archive": {
    says: "there is room for an archive of its data and its unpacked copy ({folder})",
  },
  "check.kwdb.data-archive.ko": {
    says: "its archive folder ({folder}) has {freeMiB} MiB free, the data has {dataMiB} MiB: an archive and its unpacked copy want twice that",
    next: "name a folder with room as archiveDir in the agent's file, or make room",
  },
  "check.kwdb.data-archive.unknown": { says: "the room and the data could not be measured" },
  "check.kwdb.archive-time": {
    says: "its archive is made in {minutes} min and proven in as many; each step has {limit}",
  },
  "check.kwdb.archive-time.ko": {
    says: "its archive would take {minutes} min to make, and as many to prove: a step is ended after {limit}",
    next: "a faster archiveDir; or without archive-data, with a backup of your own",
  },
  "check.kwdb.archive-time.unknown": { says: "how fast its archive folder is could not be measured" },
  "check.kwdb.agent-reports": { says: "its agent reports" },
  "check.kwdb.agent-reports.unknown": {
    says: "it does not",
    next: "systemctl status lockkeeper-agent   (on that host)",
  },
  "check.kwdb.installed": { says: "KWDB is installed ({versionFile})" },
  "check.kwdb.installed.ko": { says: "unit there: {unit}, version file: {versionFile}" },
  "check.kwdb.installed.unknown": { says: "systemd could not be asked" },
  "check.kwdb.deployed-as-declared": { says: "deployed as declared ({declared})" },
  "check.kwdb.deployed-as-declared.ko": { says: "the inventory says {declared}, MODE says {found}" },
  "check.kwdb.deployed-as-declared.unknown": { says: "MODE could not be read" },
  "check.kwdb.topology-agrees": { says: "inventory, MODE, store and SQL name one topology" },
  "check.kwdb.topology-agrees.ko": {
    says: "declared {declared}; MODE {mode}; store {startFile}; SQL {sql}",
    next: "correct the inventory; never force the files",
  },
  "check.kwdb.topology-agrees.unknown": {
    says: "MODE, the store's own file or SQL could not be asked",
    next: "systemctl status kaiwudb   (on that host): a node that is down answers no SQL",
  },
  "check.kwdb.node-live": { says: "live and available" },
  "check.kwdb.node-live.ko": {
    says: "{address}: {why}",
    next: "systemctl status kaiwudb; journalctl -u kaiwudb   (on that host)",
  },
  "check.kwdb.node-live.unknown": { says: "node status could not be asked" },
  "check.kwdb.versions-agree": { says: "files, binary and process are of one version ({running})" },
  "check.kwdb.versions-agree.ko": {
    says: "process {running}, version file {file}, binary {binary}: an upgrade was left half-way",
    next: "lockkeeper plan CLUSTER --to VERSION, which tells what can be done with it",
  },
  "check.kwdb.versions-agree.unknown": { says: "nothing runs that could be asked" },
  "check.kwdb.sudo": { says: "sudo works (deploy.sh needs it, even for root)" },
  "check.kwdb.sudo.ko": {
    says: "it does not",
    next: "apt-get install sudo; or a NOPASSWD line for the agent's user",
  },
  "check.kwdb.sudo.unknown": { says: "it could not be tried" },
  "check.kwdb.clock": { says: "its clock is right ({offsetMs} ms ± {errorMs})" },
  "check.kwdb.clock.warn": { says: "it is {offsetMs} ms off", next: "chronyc tracking   (on that host)" },
  "check.kwdb.clock.ko": {
    says: "it is {offsetMs} ms off: the node would end itself at 400",
    next: "chronyc makestep   (on that host)",
  },
  "check.kwdb.clock.unknown": { says: "it was not compared" },
  "check.kwdb.space": { says: "there is room on its disks ({found})" },
  "check.kwdb.space.ko": { says: "less than {wantedMiB} MiB, or hardly any inodes: {found}" },
  "check.kwdb.space.unknown": { says: "its file systems could not be read" },
  "check.kwdb.foreign-installer": { says: "no other installation runs" },
  "check.kwdb.foreign-installer.ko": { says: "this runs: {found}", next: "wait until it has ended" },
  "check.kwdb.foreign-installer.unknown": { says: "its processes could not be read" },
  "check.kwdb.meddlers": { says: "nothing there may restart or change the database by itself" },
  "check.kwdb.meddlers.warn": {
    says: "these might: {found}",
    next: "systemctl stop them until the upgrade is done",
  },
  "check.kwdb.meddlers.unknown": { says: "its timers could not be read" },
  "check.kwdb.old-package": { says: "the package of {version} is kept on the node" },
  "check.kwdb.old-package.unknown": {
    says: "it is not: the script removes the old version before it installs the new one",
    next: "push the old package too and name its sha256 in settings: { old-package: … }, or keep it at hand and --ack",
  },
  "check.kwdb.left-overs": { says: "no left-overs of an online upgrade done by hand" },
  "check.kwdb.left-overs.ko": {
    says: "{found}",
    next: "lockkeeper check {cluster} --fix",
  },
  "check.kwdb.left-overs.unknown": { says: "kaiwudb_env could not be read" },
  "check.kwdb.unit-fresh": { says: "kaiwudb.service is as systemd has it" },
  "check.kwdb.unit-fresh.warn": {
    says: "it changed on disk and was not reloaded",
    next: "systemctl daemon-reload",
  },
  "check.kwdb.unit-fresh.unknown": { says: "systemd could not be asked" },
  "check.kwdb.bindable": { says: "unit and configuration can be read, so that a change is noticed" },
  "check.kwdb.bindable.unknown": { says: "they cannot: a change under the plan would go unseen" },
};

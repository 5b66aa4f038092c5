import type { Catalogue } from "../render.ts";

/** Words of the checks before an upgrade of KWDB. */
export const kwdbChecks: Catalogue = {
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

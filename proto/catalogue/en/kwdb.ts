import type { Catalogue } from "../render.ts";

/** Words of an upgrade of KWDB: why no plan, what is waited for, and what a plan says of itself. */
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
  "way.kwdb.go-on-with-node": { says: "mend the node and go on with it: lockkeeper retry ROLLOUT" },
  "way.kwdb.old-version-back": {
    says: "put the kept old package back on the nodes that were changed, and start all at the old version",
  },
  "way-back.kwdb.all": {
    says: "when all is upgraded and regretted: lockkeeper plan --back ROLLOUT, on the data that is there where versions may serve mixed, else from the archives of the common stop, which loses later writes; without either, an export into a new cluster of the old version",
  },
  "warning.kwdb.store-dead-raised": {
    says: "server.time_until_store_dead is raised while a node is away: a node that dies then is given up later",
  },
};

import type { Catalogue } from "../render.ts";

export const kwdbAgent: Catalogue = {
  "file.unreadable": { says: "{path} cannot be read: {cause}" },
  "file.too-large": { says: "{path} has {bytes} bytes: it is not what it should be" },
  "look.failed": { says: "{what} could not be asked" },
  "kwdb.mode-unreadable": { says: "/etc/kaiwudb/info/MODE is not as the installer writes it: {lines}" },
  "kwdb.version-file-unreadable": { says: '/etc/kaiwudb/info/.version holds no version: "{text}"' },
  "kwdb.unit-unknown": { says: "systemd does not tell how {unit} is: {cause}" },
  "kwdb.client-failed": { says: "the database could not be asked: {cause}" },
  "kwdb.answer-unreadable": {
    says: "the database's answer is not as expected: wanted {wanted}, found {found}",
    next: "nothing is assumed of columns that are not known: report the database's version",
  },
  "kwdb.settings-missing": { says: "the database did not tell its setting {name}" },
  "kwdb.process-unreadable": { says: "process {pid} of the database could not be read: {cause}" },
  "kwdb.metrics-missing": { says: "the database gave no replica metrics" },
  "kwdb.not-running": { says: "the database does not run" },
  "kwdb.own-row-missing": { says: "the cluster does not list this node ({address})" },
  "kwdb.binary-missing": { says: "{path} does not run: {cause}" },
  "kwdb.binary-mute": { says: "{path} does not tell its version" },
  "kwdb.no-package-tool": { says: "neither dpkg nor rpm works here" },
  "kwdb.package-not-unpacked": {
    says: "the package cannot be unpacked (truncated?): {cause}",
    next: "build or download it anew, push it, plan anew",
  },
  "kwdb.package-without-script": {
    says: "the package {digest} has no deploy.sh: it is not an installation package",
  },
  "kwdb.package-without-packages": { says: "the package has no packages folder beside deploy.sh" },
  "kwdb.package-is-container": {
    says: "it is a container package (KaiwuDB.tar), and this node is bare",
    next: "push the bare package of the same version",
  },
  "kwdb.package-part": { says: "the package should hold one file named *{part}*; it holds: {found}" },
  "kwdb.package-without-version": { says: "the package does not tell its version (packages/.version)" },
  "kwdb.package-version": {
    says: "the package is {found}, the plan wants {wanted}",
    next: "plan --to {found}, or push the package of {wanted}",
  },
  "kwdb.package-of-other-kind": { says: "{file} is not for {tool}, the package tool of this host" },
  "kwdb.package-not-installable": { says: "a dry run of the installation fails: {cause}" },
  "kwdb.package-no-room": { says: "{place} has {free} bytes free, {wanted} are wanted" },
  "kwdb.package-changed": {
    says: "{file} of the staged package changed since it was unpacked",
    next: "resume stages it anew",
  },
  "kwdb.origin-format-unknown": {
    says: "{file}, which says whose this is, is written in format {format}, and this agent reads up to {known}; it is not written over",
    next: "install the agent that wrote it, or a newer one",
  },
  "kwdb.not-saved": {
    says: "configuration and certificates could not be saved: {cause}; nothing was touched",
  },
  "kwdb.archive-not-configured": {
    says: "this agent's file names no archiveDir",
    next: "engine: { settings: { archiveDir: /a/folder } } in the agent's file",
  },
  "kwdb.archive-of-running": {
    says: "the database runs (pid {mainPid}): its data is archived only when it is stopped",
  },
  "kwdb.archive-no-room": {
    says: "{folder} has {free} bytes free, the archive and its unpacked copy want {wanted}",
    next: "make room there, or name another folder as archiveDir in the agent's file",
  },
  "kwdb.archive-no-inodes": {
    says: "{folder} takes {free} more files, the unpacked copy has {wanted}",
    next: "make room there, or name another folder as archiveDir in the agent's file",
  },
  "kwdb.store-dead-kept-unreadable": {
    says: "{file} in the agent's folder holds what server.time_until_store_dead was, and cannot be read (its format: {format}, known: {known})",
    next: "set it by hand as it should be, remove the file, retry",
  },
  "kwdb.store-dead-unreadable": { says: "server.time_until_store_dead is {value}: that is no duration" },
  "kwdb.store-dead-not-set": { says: "server.time_until_store_dead is {found}, wanted {wanted}" },
  "kwdb.archive-record-format": {
    says: "the archive's record is of format {format}: this agent knows {known}",
    next: "a newer record is read by a newer agent",
  },
  "kwdb.archive-record-unreadable": { says: "the archive does not say whose it is" },
  "kwdb.store-elsewhere": {
    says: "the database that runs keeps its data in {running}, its configuration names {root}: an archive would not be of its data",
    next: "one store, the same in both; or upgrade without archives, with a backup of your own",
  },
  "kwdb.archive-size-unknown": { says: "how much data there is could not be measured" },
  "kwdb.archive-rate-no-room": { says: "{folder} has {free} bytes free: too few to measure how fast it is" },
  "kwdb.archive-rate-failed": { says: "how fast {folder} is could not be measured: {cause}" },
  "kwdb.archive-missing": { says: "{file} is not there, or was not made for this rollout" },
  "kwdb.archive-differs": {
    says: "{file} is not what the data folder holds: {cause}",
    next: "is the disk of the archive sound? retry makes the archive anew",
  },
  "kwdb.archive-failed": { says: "the data folder could not be archived: {cause}" },
  "kwdb.old-package-differs": { says: "the package {digest} is kept as {found}, not as {wanted}" },
  "kwdb.port-open": { says: "the service is stopped, and something still listens on its port {port}" },
  "kwdb.setting-unreadable": {
    says: "{cluster}: the setting {name}: {value} is not understood",
    next: "archive-data and raise-store-dead: true or false; keep-archives: a number from 1; old-package: a sha256; await-jobs: a duration; image: repository@sha256:…",
  },
  "kwdb.cluster-not-healthy": {
    says: "the last look before the change: node {id} at {address} is not well ({row}); nothing was touched",
  },
  "kwdb.drain-timeout": {
    says: "the node could not be drained within {seconds} s: clients hold on to it",
    next: "look at SHOW SESSIONS, then retry",
  },
  "kwdb.drain-failed": { says: "the node could not be drained" },
  "kwdb.service-not-stopped": { says: "{unit} did not stop: {active}/{sub}, MainPID {mainPid}" },
  "kwdb.service-not-started": {
    says: "{unit} did not start: {active}/{sub}",
    next: "journalctl -u {unit}   (on that host)",
  },
  "kwdb.process-left": { says: "the service is stopped, and processes of the database are left: {pids}" },
  "kwdb.upgrade-not-done": {
    says: "deploy.sh ended (exit {exitCode}) and {target} is not installed: version file {versionFile}, binary {binary}; {cause}",
    next: "mend the cause on that host, then: lockkeeper retry ROLLOUT",
  },
  "kwdb.upgrade-still-running": {
    says: "an earlier deploy.sh still works there: {pids}",
    next: "wait until it has ended, then retry",
  },
  "kwdb.upgrade-of-running": {
    says: "the database runs again (MainPID {mainPid}): the script would upgrade it under its feet",
    next: "find out who started it",
  },
  "kwdb.foreign-installer": {
    says: "another installation runs: {found}",
    next: "wait until it has ended, then retry",
  },
  "kwdb.node-not-running": {
    says: "the database died after its start ({active}/{sub})",
    next: "journalctl -u kaiwudb   (on that host), mend it, then retry",
  },
  "kwdb.node-not-stable": { says: "the process {pid} has lived only {stableMs} ms" },
  "kwdb.row-not-well": { says: "node status says of it: {row}; wanted {target}, available and live" },
  "kwdb.no-peer": { says: "there is no other node to ask" },
};

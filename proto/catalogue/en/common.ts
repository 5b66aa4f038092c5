import type { Catalogue } from "../render.ts";

export const common: Catalogue = {
  "duration.unreadable": { says: '"{text}" is not a duration', next: "write it like 90s, 1m30s or 2h" },
  "duration.too-long": { says: "the duration {text} is longer than a year" },
  "measure.never-taken": { says: "it was never measured" },
  "coordinator.unreachable": {
    says: "no coordinator answers at {address}: {cause} ({sent})",
    next: "lockkeeper serve   (on the coordinator's host), or --coordinator HOST:PORT",
  },
  "coordinator.not-sent": { says: "the request did not reach it" },
  "coordinator.mute": { says: "nothing came back within {limit}; is it a coordinator's port?" },
  "inventory.unreadable": { says: "the inventory was not applied, nothing was changed:\n{complaints}" },
  "errno.ENOENT": { says: "there is no such file" },
  "errno.EACCES": { says: "this user has no right to it" },
  "errno.EPERM": { says: "this user has no right to it" },
  "errno.EISDIR": { says: "it is a folder" },
  "errno.ENOTDIR": { says: "a part of its path is a file, not a folder" },
  "errno.EROFS": { says: "it is on a read-only file system" },
  "errno.ENOSPC": { says: "the disk is full" },
  "errno.EDQUOT": { says: "this user's part of the disk is full" },
  "errno.ENAMETOOLONG": { says: "its name is too long" },
  "errno.ELOOP": { says: "its links lead in a circle" },
  "errno.ECONNREFUSED": { says: "nothing listens there" },
  "errno.ECONNRESET": { says: "the connection was cut" },
  "errno.EHOSTUNREACH": { says: "there is no way to that host" },
  "errno.ENETUNREACH": { says: "there is no way to that network" },
  "errno.ENOTFOUND": { says: "no host of that name is known here" },
  "errno.ETIMEDOUT": { says: "nothing came back" },
  "errno.EADDRINUSE": { says: "another program listens there" },
  "errno.EADDRNOTAVAIL": { says: "this host has no such address" },
  "config.file-unreadable": {
    says: "{file} cannot be used: {cause}",
    next: "name the right file with --config; {example} shows every setting",
  },
  "state-folder.is-file": {
    says: "{folder} cannot be the state folder: {at} is a file",
    next: "move that file away, or set `stateDir:` in {namedIn} to a folder",
  },
  "state-folder.dangling": {
    says: "the state folder {folder} cannot be made: the way there ends in {at}, as a rule at a link that leads nowhere",
    next: "ls -l {at}   shows it; mend the link, or set `stateDir:` in {namedIn} to another folder",
  },
  "state-folder.forbidden": {
    says: "the state folder {folder} cannot be used: this user may not write in {at}",
    next: "start it as the user who owns that folder, give the folder to this user (chown), or set another `stateDir:` in {namedIn}",
  },
  "state-folder.read-only": {
    says: "the state folder {folder} cannot be used: {at} is on a read-only file system",
    next: "mount it writable, or set another `stateDir:` in {namedIn}",
  },
  "state-folder.disk-full": {
    says: "the state folder {folder} cannot be used: there is no room left at {at}",
    next: "df {at}   shows it; make room, or set another `stateDir:` in {namedIn}",
  },
  "state-folder.unusable": {
    says: "the state folder {folder} cannot be used: {cause}",
    next: "look at {at}, or set another `stateDir:` in {namedIn}",
  },
  "inventory.kept": { says: "not in the file, kept: {clusters}; --prune removes them" },
  "inventory.node-kept": {
    says: "{what} of cluster {cluster} is in cluster {kept} too, which is not in the file and would be kept; nothing was changed",
    next: "lockkeeper cluster diff {file} --prune shows what would be removed; cluster apply with --prune removes it",
  },
  "cluster.unknown": {
    says: "there is no cluster {cluster} in the inventory",
    next: "lockkeeper cluster list",
  },
  "fleet.strangers": {
    says: "agents that are not in the inventory, and given nothing to do ({count})",
    next: "lockkeeper doctor",
  },
  "node.not-in-inventory": {
    says: "an agent that calls itself {node} dials in from {from}, and the inventory has no node of that name",
    next: "lockkeeper doctor",
  },
  "node.unknown": { says: "there is no node {node} in the inventory", next: "lockkeeper node list" },
};

import type { Catalogue } from "../render.ts";

/** KWDB compiled from source: at the agent, and in its plans. */
export const kwdbCompiled: Catalogue = {
  "kwdb.no-program": {
    says: "this agent's file names no build from source",
    next: "engine: { settings: { program: { folder: /a/folder } } } in the agent's file",
  },
  "kwdb.several-servers": {
    says: "several processes run {file}: {pids}; one agent looks after one of them",
    next: "give each its own folder and agent",
  },
  "kwdb.start-unreadable": { says: "how process {pid} was started cannot be read: {cause}" },
  "kwdb.start-strange": {
    says: 'the process that was found was started with "{command}", which is no start of a node',
    next: "a unit must run kwbase itself, not a script that keeps running around it",
  },
  "kwdb.start-not-kept": {
    says: "nothing runs, and how it was started is not kept ({path}: {cause})",
    next: "start the database as it should run, then plan anew",
  },
  "kwdb.start-record-format": {
    says: "how the database was started is written in format {format}, and this agent reads up to {known}",
    next: "install the agent that wrote it, or a newer one",
  },
  "kwdb.start-of-other": {
    says: "nothing runs, and the start that is kept is of another program ({folder}) or unit",
    next: "start the database as it should run, then plan anew",
  },
  "kwdb.program-elsewhere": {
    says: "the process runs {executable}, and the agent's file names {binary}",
    next: "correct program.folder in the agent's file",
  },
  "kwdb.program-folder-fixed": {
    says: "{folder} is {kind}: its name cannot be changed for another folder's",
    next: "name the folder itself in the agent's file, one level below a mount point",
  },
  "kwdb.program-folder-shared": {
    says: "{folder} holds more than a build: {found}; it would be put aside with it",
    next: "move data, certificates and logs out of it, or name the folder that holds only bin and lib",
  },
  "kwdb.build-without-manifest": {
    says: "the archive has no manifest.json: nothing says what it should be",
    next: "pack bin, lib and manifest.json as the documentation of KWDB says",
  },
  "kwdb.build-manifest-unreadable": { says: "manifest.json of the build cannot be read: {cause}" },
  "kwdb.build-manifest-format": {
    says: "manifest.json of the build is of format {format}, and this agent reads up to {known}",
    next: "pack it in the format that the documentation of KWDB shows",
  },
  "kwdb.build-not-whole": {
    says: "{file} of the build is not what its manifest says: {why}",
    next: "pack it anew, push it, plan anew",
  },
  "kwdb.build-version": {
    says: "the build is {found} by {from}, the plan wants {wanted}",
    next: "build the tag of that version, or plan to the version that it is",
  },
  "kwdb.build-platform": {
    says: "the build is for {found} by {from}, this host is {wanted}",
    next: "build it on a host of this platform",
  },
  "kwdb.build-libraries": {
    says: "libraries are not found on this host: {missing}",
    next: "install them, or put them into lib of the build, and look at its LD_LIBRARY_PATH",
  },
  "kwdb.build-not-laid": { says: "the build could not be copied to {folder}: {cause}; nothing was touched" },
  "kwdb.build-gone": {
    says: "there is neither {folder} nor the kept {kept}",
    next: "find out who moved it; nothing is started meanwhile",
  },
  "kwdb.build-strange": {
    says: "{folder} is not the new build, and {kept} is there too: somebody else has changed it",
    next: "put into {folder} what should run, then retry",
  },
  "kwdb.exchange-of-running": {
    says: "the database runs (pid {pids}): its programs are exchanged only when it is stopped",
    next: "find out who started it",
  },
  "kwdb.build-not-started": {
    says: "the new build did not start: {cause}",
    next: "mend the cause and retry, or put the kept build back, on the kept data: {commands}",
  },
  "kwdb.running-build-differs": {
    says: "process {pid} runs a program of sha256 {found}, and the build's is {wanted}",
  },
  "kwdb.build-not-recorded": {
    says: "{rollout} has not recorded which files the build before had, and how it was started: {cause}",
    next: "put the kept folder back by hand, and start it as before",
  },
  "kwdb.build-record-format": {
    says: "what the build before was is written in format {format}, and this agent reads up to {known}",
    next: "install the agent that wrote it, or a newer one",
  },
  "way-back.kwdb.before-start": {
    says: "before the new build is started on a node: the old folder gets its name back, and is started as before",
  },
  "way-back.kwdb.kept-build": {
    says: "after the new build was started on one node: finish there, or go back (lockkeeper plan --back ROLLOUT): the kept folder FOLDER.kept-VERSION-ROLLOUT gets its name back, and is started as before",
  },
  "check.kwdb.program-folder": { says: "{folder} holds bin and lib, and nothing else" },
  "check.kwdb.program-folder.ko": {
    says: "it is a {kind}, with {foreign} beside bin and lib",
    next: "move data, certificates and logs out of it; name the folder itself, below a mount point, in the agent's file",
  },
  "check.kwdb.program-folder.unknown": { says: "the folder could not be looked at" },
  "check.kwdb.program-start": { says: "the process runs {binary}; unit: {unit}" },
  "check.kwdb.program-start.ko": {
    says: "{executable} runs instead",
    next: "correct program in the agent's file; a unit must run kwbase itself",
  },
  "check.kwdb.program-start.unknown": { says: "how it was started is not known" },
  "check.kwdb.program-libraries": { says: "ldd finds every library of the present build" },
  "check.kwdb.program-libraries.ko": {
    says: "not these: {missing}",
    next: "look at LD_LIBRARY_PATH of the process, or at the libraries of this host",
  },
  "check.kwdb.program-libraries.unknown": { says: "ldd could not be asked" },
  "check.kwdb.program-room": { says: "beside {folder} is room for another build ({freeMiB} MiB free)" },
  "check.kwdb.program-room.ko": { says: "{wantedMiB} MiB are wanted", next: "make room there" },
  "check.kwdb.program-room.unknown": { says: "it could not be measured" },
};

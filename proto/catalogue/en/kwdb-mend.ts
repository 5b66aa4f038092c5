import type { Catalogue } from "../render.ts";

/** What an online upgrade by hand has left behind: why it is not taken away, and what a plan that mends says. */
export const kwdbMend: Catalogue = {
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
};

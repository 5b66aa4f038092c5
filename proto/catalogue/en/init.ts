import type { Catalogue } from "../render.ts";

/** Words of `lockkeeper init`. None of them tells a password. */
export const init: Catalogue = {
  "init.pgrepup-unreadable": {
    says: "nothing was written: {cause}",
    next: "mend the file; or lockkeeper init postgresql, which asks",
  },
  "init.answer-missing": {
    says: "{option} is missing, and there is no terminal to ask at; nothing was written",
  },
  "init.answer-strange": { says: '{option} is "{value}", and must be {mustBe}; nothing was written' },
  "init.one-server": {
    says: "old and new are the same: {address}, node {node}; nothing was written",
    next: "a move needs two servers, each with a name of its own",
  },
  "init.insecure": {
    says: "{coordinator} is not on loopback, and there is no encryption yet; nothing was written",
    next: "add --insecure where you trust that network; the coordinator's file needs insecure: true too",
  },
  "init.password": {
    says: "the password of {user} at {at} is more than one line; nothing was written",
    next: "a file with the password alone",
  },
  "init.file-there": {
    says: "already there: {files}; nothing was written",
    next: "another folder with -o, or --force to write over them",
  },
};

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
  "init.coordinator-missing": {
    says: "--coordinator is missing: {far} is another host, and finds no coordinator at its own 127.0.0.1; nothing was written",
    next: "add --coordinator HOST:7440, as both hosts reach it",
  },
  "init.same": {
    says: '{option} and {other} are both "{value}", and must differ; nothing was written',
    next: "a move needs two servers, two clusters and two nodes, each with a name of its own",
  },
  "init.again-empty": { says: "an answer is needed: {mustBe}" },
  "init.again-strange": { says: '"{value}" cannot be taken; it must be {mustBe}' },
  "init.again-same": { says: '"{value}" is already the answer to "{other}"; the two must differ' },
  "init.again-yes-or-no": { says: "type yes or no" },
  "init.insecure": {
    says: "{coordinator} is not on loopback, and there is no encryption yet; nothing was written",
    next: "add --insecure where you trust that network; the coordinator's file needs insecure: true too",
  },
  "init.password": {
    says: "the password in {from} is more than one line; nothing was written",
    next: "a file with the password alone",
  },
  "init.password-empty": {
    says: "{file} is empty, and a password was wanted there; nothing was written",
    next: "write the password into it; or leave {option} away, where the server asks for none",
  },
  "init.coordinator-insecure": {
    says: "The coordinator at {coordinator} has to listen there in plain text. Its own file, /etc/lockkeeper/coordinator.yaml:",
  },
  "init.coordinator-loopback": {
    says: "The agents dial {coordinator}, which is loopback: on every other host than the coordinator's they need a tunnel.",
  },
  "init.next": {
    says: "Next, when both agents run, here (or on another host that has {inventory} and reaches {coordinator}):",
  },
  "init.file-there": {
    says: "already there: {files}; nothing was written",
    next: "another folder with -o, or --force to write over them",
  },
};

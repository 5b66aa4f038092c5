/** The steps that make a new server, with the command that a person would type for each. */
import type { PlanStep } from "../../../domain/plan.ts";
import { list } from "../move.ts";
import { call, hour, minute, step } from "../step.ts";
import type { Of } from "../steps/of.ts";
import type { Making } from "./making.ts";

type What = "tablespaces" | "configuration" | "data";

export const sendConfiguration: PlanStep = step(
  "send-configuration",
  {},
  "postgresql.conf, what it includes, postgresql.auto.conf, pg_hba.conf, pg_ident.conf; no certificates, no keys, no primary_conninfo",
);

export function proveFree({ to, place }: Making): PlanStep {
  return step(
    "prove-free",
    { version: to },
    `postgres --version says ${to}; ${place.data} is empty; nothing runs as ${place.unit.name}`,
    { deadlineMs: minute },
  );
}

export function makeData({ birth, place }: Making): PlanStep {
  const { encoding, provider, locale, collate, hasChecksums } = birth;
  const words = [
    `--encoding=${encoding}`,
    `--locale-provider=${provider}`,
    `--locale=${locale ?? collate}`,
    hasChecksums ? "--data-checksums" : "--no-data-checksums",
  ];
  return step(
    "make-data",
    { birth: JSON.stringify(birth) },
    `initdb --pgdata=${place.data} ${words.join(" ")}, as the old one was made`,
    { verb: "make-new-data", class: "reversible", deadlineMs: 30 * minute, undo: giveBackCall("data") },
  );
}

export function takeConfiguration({ settings, place }: Making): PlanStep {
  const own = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return step(
    "take-configuration",
    { settings: JSON.stringify(settings) },
    `the old server's files into ${place.config}, with this host's places and ${own.join(", ")}; what the new version does not know as a comment`,
    { class: "reversible", undo: giveBackCall("configuration") },
  );
}

export function makeTablespaceFolders({ tablespaces, place }: Making): PlanStep {
  const folders = tablespaces.map((name) => place.tablespaces[name] ?? name);
  return step("make-tablespace-folders", { tablespaces: list(tablespaces) }, `mkdir ${folders.join(" ")}`, {
    class: "reversible",
    undo: giveBackCall("tablespaces"),
  });
}

export function startServer({ place }: Making): PlanStep {
  return step(
    "start-server",
    {},
    `systemctl enable ${place.unit.name}, where the old unit is enabled; systemctl start ${place.unit.name}`,
    { verb: "start-made", class: "reversible", deadlineMs: 10 * minute, undo: call("stop-made") },
  );
}

/** No undo of its own: their folders and the server's own data go. */
export function makeTablespaces({ tablespaces, place }: Making): PlanStep {
  const each = tablespaces.map((name) => `CREATE TABLESPACE "${name}" LOCATION '${place.tablespaces[name]}'`);
  return step("make-tablespaces", { tablespaces: list(tablespaces) }, each.join("; "), {
    class: "reversible",
  });
}

export function proveMade({ birth, to }: Making): PlanStep {
  return step(
    "prove-made",
    { birth: JSON.stringify(birth), version: to },
    "server_version, data_directory, pg_control_system(); encoding, locale and checksums as wanted",
    { deadlineMs: minute },
  );
}

export function proveUnused(of: Of): PlanStep {
  return step(
    "prove-unused",
    { ...of },
    "nothing beside what initdb has made, by the files of the new data folder and by the server's own word",
    { deadlineMs: minute },
  );
}

export function stopMade(unit: string, of: Of): PlanStep {
  return step("stop-server", { ...of }, `systemctl stop ${unit}; disabled again where it was`, {
    verb: "stop-made",
    class: "reversible",
    deadlineMs: 10 * minute,
  });
}

export function giveBack(what: What, folder: string, of: Of): PlanStep {
  return step(`give-back-${what}`, { what, ...of }, `rm -r ${folder}, where this rollout has made it`, {
    verb: "give-back",
    class: "reversible",
    deadlineMs: hour,
  });
}

function giveBackCall(what: What) {
  return call("give-back", { what });
}

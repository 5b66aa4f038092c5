/** The steps of an upgrade in place, with the command that a person would type for each. */
import type { PlanStep } from "../../../domain/plan.ts";
import { list } from "../move.ts";
import { call, hour, minute, step } from "../step.ts";
import type { Of } from "../steps/of.ts";
import type { InPlace } from "./upgrade.ts";

export type Which = "old" | "new";

interface Units {
  readonly unit: { readonly name: string };
  readonly newUnit: { readonly name: string };
}

function unitOf({ unit, newUnit }: Units, which: Which): string {
  return (which === "old" ? unit : newUnit).name;
}

export function provePlace({ endpoint, to, place }: InPlace): PlanStep {
  return step(
    "prove-place",
    { from: endpoint.major, to },
    `SHOW data_directory says ${place.data}; postgres --version of both: ${endpoint.major} and ${to}`,
    { deadlineMs: minute },
  );
}

export function makeData({ endpoint, place }: InPlace, id: "make-data" | "make-data-fresh"): PlanStep {
  return step(
    id,
    { systemId: endpoint.systemId },
    `initdb --pgdata=${place.newData}, with the old one's owner, encoding, locale, provider, checksums and segment size`,
    { verb: "make-data", class: "reversible", deadlineMs: 30 * minute, undo: call("remove-data") },
  );
}

export function removeData(newData: string, of: Of): PlanStep {
  return step("remove-data", { ...of }, `rm -r ${newData}, which this rollout has made`, {
    class: "reversible",
    deadlineMs: hour,
  });
}

export function carryConfiguration(id: "carry-configuration" | "carry-configuration-again"): PlanStep {
  const isFirst = id === "carry-configuration";
  return step(
    id,
    { tells: isFirst ? "no" : "yes" },
    "postgresql.conf, what it includes, postgresql.auto.conf, pg_hba.conf, pg_ident.conf, certificates; what the new version does not know as a comment",
    {
      verb: "carry-configuration",
      class: "reversible",
      ...(isFirst ? { undo: call("remove-configuration") } : {}),
    },
  );
}

export function removeConfiguration(of: Of): PlanStep {
  return step(
    "remove-configuration",
    { ...of },
    "rm -r its folder of configuration, which this rollout has made",
    {
      class: "reversible",
    },
  );
}

function upgradeArgs({ to, settings }: InPlace): Readonly<Record<string, string>> {
  return { mode: settings.upgradeMode, jobs: String(settings.databasesAtOnce), version: to };
}

export function tryUpgrade(plan: InPlace): PlanStep {
  return step(
    "try-upgrade",
    upgradeArgs(plan),
    `pg_upgrade --check --${plan.settings.upgradeMode}, while the old server serves`,
    { deadlineMs: hour },
  );
}

/** Never ended by us: what was cut short is begun anew from the old data, and takes as long again. */
export function runUpgrade(plan: InPlace): PlanStep {
  const { place, settings } = plan;
  const made = step(
    "run-upgrade",
    upgradeArgs(plan),
    `pg_upgrade --${settings.upgradeMode} --jobs=${settings.databasesAtOnce} -d ${place.data} -D ${place.newData}`,
    { class: "reversible", deadlineMs: 24 * hour },
  );
  return { ...made, onDeadline: "observe" };
}

export function proveUpgraded({ to }: InPlace): PlanStep {
  return step(
    "prove-upgraded",
    { version: to },
    "pg_controldata of the new folder: shut down, its own system identifier; PG_VERSION; no server runs",
    { deadlineMs: minute },
  );
}

export function stopServer(units: Units, which: Which, of: Of = {}): PlanStep {
  return step(`stop-${which}`, { which, ...of }, `systemctl stop ${unitOf(units, which)}`, {
    verb: "stop-server",
    class: "reversible",
    deadlineMs: 30 * minute,
    undo: call("start-server", { which, ...of }),
  });
}

export function mask(units: Units, which: Which, of: Of = {}): PlanStep {
  return step(`mask-${which}`, { which, ...of }, `systemctl mask ${unitOf(units, which)}`, {
    verb: "mask-unit",
    class: "reversible",
    deadlineMs: minute,
    undo: call("unmask-unit", { which, ...of }),
  });
}

export function unmask(units: Units, which: Which, of: Of): PlanStep {
  return step(`unmask-${which}`, { which, ...of }, `systemctl unmask ${unitOf(units, which)}`, {
    verb: "unmask-unit",
    class: "reversible",
    deadlineMs: minute,
  });
}

export function proveStopped({ endpoint, place }: InPlace): PlanStep {
  return step(
    "prove-stopped",
    { which: "old", systemId: endpoint.systemId },
    `no process of ${place.unit.name}, none in ${place.data}; pg_controldata says: shut down`,
    { deadlineMs: 2 * minute },
  );
}

/** After `--link` the two share their files: what the new server writes, the old one would find. */
export function startNew({ place, settings }: InPlace): PlanStep {
  const isLink = settings.upgradeMode === "link";
  return step(
    "start-new",
    { which: "new" },
    `systemctl start ${place.newUnit.name}; it is still closed to clients`,
    {
      verb: "start-server",
      class: isLink ? "irreversible" : "reversible",
      deadlineMs: 30 * minute,
      ...(isLink ? {} : { undo: call("stop-server", { which: "new" }) }),
    },
  );
}

export function startOld(units: Units, of: Of): PlanStep {
  return step("start-old", { which: "old", ...of }, `systemctl unmask and start ${unitOf(units, "old")}`, {
    verb: "start-server",
    class: "reversible",
    deadlineMs: 30 * minute,
    undo: call("stop-server", { which: "old", ...of }),
  });
}

export function proveSuccessor({ to }: Pick<InPlace, "to">): PlanStep {
  return step(
    "prove-successor",
    { version: to },
    "pg_control_system() says what initdb gave; server_version; data_directory",
    { deadlineMs: minute },
  );
}

export function measureOwn({ databases, settings }: InPlace): PlanStep {
  const { compareWithinMs: withinMs } = settings;
  return step(
    "measure-own",
    { databases: list(databases), withinMs: String(withinMs) },
    `every sequence's last_value; SELECT count(*) of every table; md5 over the rows of as many as ${withinMs} ms allow, smallest first`,
    { deadlineMs: hour },
  );
}

export function compareOwn({ databases }: InPlace): PlanStep {
  return step(
    "compare-own",
    { databases: list(databases) },
    "the same counts, hashes and sequences on the new server",
    {
      deadlineMs: hour,
    },
  );
}

/** The moment after which rows may be on the new server alone. */
export const openSuccessor: PlanStep = {
  ...step("open-writes", {}, "connection limits and default_transaction_read_only as they were", {
    verb: "open-successor",
    class: "irreversible",
    deadlineMs: minute,
  }),
  service: "is-back",
};

export function listExtensionUpdates({ databases }: InPlace): PlanStep {
  return step(
    "list-extension-updates",
    { databases: list(databases) },
    "pg_extension beside pg_available_extensions: which ALTER EXTENSION … UPDATE is left to do",
  );
}

export function removeOldData({ place }: InPlace): PlanStep {
  return step("remove-old-data", {}, `rm -r ${place.data}/*`, {
    class: "irreversible",
    deadlineMs: 2 * hour,
  });
}

export function clearWork(
  { place }: { readonly place: Pick<InPlace["place"], "newData"> },
  of: Of = {},
): PlanStep {
  return step("clear-work", { ...of }, `rm -r ${place.newData}.lockkeeper: pg_upgrade's own scripts`, {
    class: "reversible",
  });
}

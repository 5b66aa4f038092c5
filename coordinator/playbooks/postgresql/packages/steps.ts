/** The steps that put packages on a host, and take them away again, with the command that a person would type for each. */
import type { PgAddedPackage } from "#proto/engines/postgresql-packages.ts";
import type { PlanStep } from "../../../domain/plan.ts";
import { list } from "../move.ts";
import { call, hour, minute, step } from "../step.ts";
import type { Of } from "../steps/of.ts";

/** `server`: the note stays with a server that is made, since its way back may be asked for at any time. */
export type Whose = "move" | "server";

export function addPackages(adds: readonly PgAddedPackage[], whose: Whose): PlanStep {
  const packages = adds.map(({ name, version, architecture }) => ({ name, version, architecture }));
  const exact = adds.map(({ name, version }) => `${name}=${version}`).join(" ");
  return step(
    "add-packages",
    { packages: JSON.stringify(packages), for: whose },
    `apt-get install --no-install-recommends --no-remove ${exact}; no service is started, no cluster made`,
    { class: "reversible", deadlineMs: hour, undo: call("remove-packages", { for: whose }) },
  );
}

/** What is counted on, by name; `tools`: their version at least. */
export interface Brought {
  readonly extensions: readonly string[];
  readonly libraries: readonly string[];
  readonly tools?: string;
}

export function proveBrought({ extensions, libraries, tools }: Brought): PlanStep {
  const what = [
    ...extensions.map((name) => `extension ${name}`),
    ...libraries.map((name) => `library ${name}`),
    ...(tools === undefined ? [] : [`client programs of ${tools}`]),
  ];
  return step(
    "prove-brought",
    {
      extensions: list(extensions),
      libraries: list(libraries),
      ...(tools === undefined ? {} : { tools }),
    },
    `there now: ${what.join(", ") || "what was named"}`,
    { deadlineMs: minute },
  );
}

export function removePackages(of: Of, whose: Whose): PlanStep {
  return step(
    "remove-packages",
    { ...of, for: whose },
    "dpkg --purge of what was installed for the rollout and nothing else needs; never of what was there before",
    { class: "reversible", deadlineMs: hour },
  );
}

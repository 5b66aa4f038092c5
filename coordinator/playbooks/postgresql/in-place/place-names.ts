/** Units, folders and mode of an upgrade in place, as its own plan has them: on the way back nobody may be there to be asked. */
import type { Plan } from "../../../domain/plan.ts";
import { programsOf } from "../../../domain/stage-programs.ts";

export interface PlaceNames {
  readonly systemId: string;
  readonly mode: string;
  readonly data: string;
  readonly newData: string;
  readonly unit: { readonly name: string };
  readonly newUnit: { readonly name: string };
}

/** Undefined for a plan of another kind. */
export function placeNamesIn({ stages, boundTo }: Plan): PlaceNames | undefined {
  const steps = stages.flatMap((stage) => programsOf(stage).flatMap(({ program }) => program.steps));
  const systemId = steps.find(({ id }) => id === "make-data")?.call.args["systemId"];
  const mode = steps.find(({ id }) => id === "run-upgrade")?.call.args["mode"];
  const bound = Object.entries(boundTo).find(([field]) => /^node\..+\.place$/.test(field))?.[1];
  const found = /^\S+ (\S+) (\S+) -> \S+ (\S+) (\S+)$/.exec(bound ?? "");
  if (systemId === undefined || mode === undefined || found === null) return undefined;
  const [, data = "", unit = "", newData = "", newUnit = ""] = found;
  return { systemId, mode, data, newData, unit: { name: unit }, newUnit: { name: newUnit } };
}

/** What a plan is asked for with, and how that is found again in one that was made. */
import type { Plan } from "../../domain/plan.ts";

/** What a person wants: as typed, unset fields absent. */
export interface WantedTarget {
  readonly cluster: string;
  readonly version: string;
  readonly artefact?: string;
  readonly digest?: string;
  readonly strategy?: string;
  readonly method?: string;
  readonly into?: string;
}

/** What a plan was asked for with; the second of its clusters is the one it goes into. */
export function targetOf({
  clusters: [cluster = "", into],
  to,
  strategy,
  method,
  artefact,
}: Plan): WantedTarget {
  return {
    cluster,
    version: to,
    strategy,
    method,
    ...(into === undefined ? {} : { into }),
    ...(artefact === undefined ? {} : { digest: artefact.digest }),
  };
}

/** `node.<name>.<fact>`: a name may hold points, a fact holds none. Undefined for a field of the whole cluster. */
export function nodeOfField(field: string): string | undefined {
  return /^node\.(.+)\.[^.]+$/.exec(field)?.[1];
}

/** The ways that lead a cluster to a version, for a person to choose from. Codes are put into words at the edge. */
import type { Failure } from "#proto/common/failure.ts";

export interface OpenWay {
  readonly strategy: "rolling" | "offline" | "move";
  readonly method: string;
  /** The one that a plan takes when none is named. */
  readonly isDefault: boolean;
  /** Who is not served meanwhile, and for how long. */
  readonly downtime: Failure;
  readonly lost: Failure;
  readonly wayBack: Failure;
}

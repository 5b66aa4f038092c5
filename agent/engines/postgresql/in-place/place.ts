/** Where both servers of an upgrade in place lie, by the agent's own file: all that its verbs may touch. */
import { z } from "zod";
import { rollout } from "../../rollout-arg.ts";
import { stop } from "../desk.ts";
import type { Means } from "../settings.ts";

export const which = z.enum(["old", "new"]);
export type Which = z.infer<typeof which>;
export const ofWhich = z.strictObject({ which, of: rollout.optional() });

export interface PlacedServer {
  readonly which: Which;
  readonly unit: string;
  readonly bin: string;
  readonly data: string;
  /** Folder of `postgresql.conf`; the data folder itself where the two are one. */
  readonly config: string;
}

export interface Place {
  readonly old: PlacedServer;
  readonly new: PlacedServer;
  readonly account: string;
  /** Of `pg_upgrade` itself: its scripts and its private sockets. Beside the new data, and gone with it. */
  readonly work: string;
}

/** Undefined where the agent's file allows no upgrade in place. */
export function placeIn({ settings: { inPlace } }: Means): Place | undefined {
  if (inPlace === undefined) return undefined;
  const { unit, newUnit, bin, newBin, data, newData, config, newConfig, account } = inPlace;
  return {
    old: { which: "old", unit, bin, data, config: config ?? data },
    new: { which: "new", unit: newUnit, bin: newBin, data: newData, config: newConfig ?? newData },
    account,
    work: `${newData}.lockkeeper`,
  };
}

/** Ends the step where there is none. */
export function placeOf(means: Means): Place {
  return placeIn(means) ?? stop("postgresql.in-place-not-allowed");
}

export function hasOwnConfig({ config, data }: PlacedServer): boolean {
  return config !== data;
}

/** For `postgres -c` or `pg_ctl -o`, where the configuration is not found by the data folder. */
export function configWords(server: PlacedServer): string {
  return hasOwnConfig(server) ? `-c config_file=${server.config}/postgresql.conf` : "";
}

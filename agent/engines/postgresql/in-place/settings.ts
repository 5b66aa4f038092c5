import { z } from "zod";
import { isWithin, path, unit } from "../on-host/named.ts";

/** Where both versions lie on this host: `pg_upgrade` reads and writes these folders, and no others. */
export const inPlaceSettings = z
  .strictObject({
    /** systemd units of the server that runs, and of the one that will. */
    unit,
    newUnit: unit,
    /** Folders of their programs. */
    bin: path,
    newBin: path,
    data: path,
    /** Made by us; it may be there already only when it is empty. */
    newData: path,
    /** Folders of `postgresql.conf` where it is not the data folder, as on Debian. */
    config: path.optional(),
    newConfig: path.optional(),
    /** The account that both servers run as. */
    account: z.string().min(1).default("postgres"),
  })
  .refine(({ unit: old, newUnit }) => old !== newUnit, "unit and newUnit must be two")
  .refine(({ bin, newBin }) => bin !== newBin, "bin and newBin must be two")
  .refine(
    ({ data, newData }) => !isWithin(data, newData) && !isWithin(newData, data),
    "data and newData must be two folders, neither within the other",
  )
  .refine(
    ({ config, newConfig }) =>
      (config === undefined) === (newConfig === undefined) && (config === undefined || config !== newConfig),
    "config and newConfig must both be named, and be two, or neither",
  );

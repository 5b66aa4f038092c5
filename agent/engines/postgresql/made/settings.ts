import { z } from "zod";
import { isWithin, path, unit } from "../on-host/named.ts";

/** Where a new server may be made on this host: these folders, and no others. */
export const madeSettings = z
  .strictObject({
    unit,
    /** Folder of its programs. */
    bin: path,
    /** Made by us; it may be there already only when it is empty. So may the others. */
    data: path,
    /** Folder of `postgresql.conf` where it is not the data folder, as on Debian. */
    config: path.optional(),
    /** The account that the server runs as. */
    account: z
      .string()
      .regex(/^[a-z_][\w-]*$/, "must be the name of an account")
      .default("postgres"),
    /** `listen_addresses`; absent: as on the old server, where that names none of its own. */
    listen: z
      .string()
      .regex(/^[\w.:*-]+(, ?[\w.:*-]+)*$/, "must be addresses, with commas")
      .optional(),
    /** Of the old server's tablespaces by name: where each of them goes. */
    tablespaces: z
      .record(z.string().regex(/^[^\0"\\]{1,63}$/, "must be the name of a tablespace"), path)
      .prefault({}),
  })
  .refine(
    ({ data, config, tablespaces }) =>
      areApart([data, ...(config === undefined ? [] : [config]), ...Object.values(tablespaces)]),
    "data, config and the tablespaces' folders must lie apart, none within another",
  );

function areApart(folders: readonly string[]): boolean {
  return folders.every((one, index) => folders.every((other, at) => index === at || !isWithin(one, other)));
}

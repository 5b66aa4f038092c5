/** How this server's replication connection to its peer is encrypted: libpq's own words, and the same for a client of ours. */
import { readFile } from "node:fs/promises";
import { type ConnectionOptions, checkServerIdentity } from "node:tls";
import { z } from "zod";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";

export const encryptionSettings = {
  /** Of the connection that this server makes to the other side: as libpq's sslmode. */
  sslMode: z.enum(["disable", "prefer", "require", "verify-ca", "verify-full"]).default("prefer"),
  /** Certificates by which the other side is proven: a file that the server's own account can read. */
  sslRootCert: z.string().startsWith("/", "must be an absolute path").optional(),
};

export type Encryption = z.infer<z.ZodObject<typeof encryptionSettings>>;

/** For a connection string of the server's own. */
export function sslWords({ sslMode, sslRootCert }: Encryption): Readonly<Record<string, string>> {
  return { sslmode: sslMode, ...(sslRootCert === undefined ? {} : { sslrootcert: sslRootCert }) };
}

type Ssl = false | ConnectionOptions;

/**
 * What a client of ours tries, one after the other, to come in as the server will. Refused: `postgresql.root-certificate`.
 */
export async function sslTries(
  host: Host,
  { sslMode, sslRootCert }: Encryption,
  peer: string,
): Promise<Outcome<readonly Ssl[]>> {
  if (sslMode === "disable") return succeed([false]);
  if (sslMode === "prefer") return succeed([{ rejectUnauthorized: false }, false]);
  if (sslRootCert === undefined)
    return sslMode === "require"
      ? succeed([{ rejectUnauthorized: false }])
      : fail("postgresql.root-certificate", { path: "", cause: `${sslMode} without sslRootCert` });
  try {
    const ca = await readFile(host.path(sslRootCert), "utf8");
    // a root certificate makes libpq's require as strict as verify-ca
    const named = sslMode === "verify-full" ? checkServerIdentity : () => undefined;
    return succeed([{ ca, checkServerIdentity: (_, certificate) => named(peer, certificate) }]);
  } catch (error) {
    return fail("postgresql.root-certificate", { path: sslRootCert, cause: (error as Error).message });
  }
}

/**
 * The files of a --certs-dir, under the vendor's names. A key that others may read is refused, as the vendor's is. A folder
 * without an authority makes a node secure in name only: its port speaks in the clear.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { CliError } from "./cli-error.ts";

export interface Credentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export function readCerts(folder: string, whose: "node" | "client.root"): Credentials | undefined {
  if (!existsSync(path.join(folder, "ca.crt"))) return undefined;
  const read = (name: string): string => {
    try {
      return readFileSync(path.join(folder, name), "utf8");
    } catch (error) {
      throw refused(`problem with ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const key = `${whose}.key`;
  const found = { ca: read("ca.crt"), cert: read(`${whose}.crt`), key: read(key) };
  const mode = statSync(path.join(folder, key)).mode & 0o777;
  if ((mode & 0o077) !== 0)
    throw refused(`key file ${key} has permissions -${mode.toString(8)}, exceeds -rwx------`);
  return found;
}

function refused(cause: string): CliError {
  return new CliError(
    `cannot load certificates.\nCheck your certificate settings, set --certs-dir, or use --insecure for insecure clusters.\n\n${cause}`,
  );
}

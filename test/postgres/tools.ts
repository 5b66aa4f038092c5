/** psql, pg_dump and pg_dumpall for tests, which the npm packages of the servers do not have. */
import { execa } from "execa";

const fetchMs = 420_000;
let folder: Promise<string> | undefined;

const ofTheSources = new URL("../../deploy/postgres/fetch.sh", import.meta.url).pathname;

/** Their folder, the same for all of a run: found or fetched by deploy/postgres/fetch.sh. */
export function postgresTools(script = ofTheSources): Promise<string> {
  folder ??= fetched(script);
  return folder;
}

async function fetched(script: string): Promise<string> {
  const { stdout } = await execa(script, { timeout: fetchMs });
  return stdout.trim();
}

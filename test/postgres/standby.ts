/** A standby of a running test server: a base backup by the server's own functions, since no pg_basebackup comes with its binaries. */
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import pg from "pg";
import { freePorts } from "#test/doubles/host/create-host.ts";
import { PostgresServer } from "./server.ts";

/** Of 15 and newer. `settings` as its primary was started with: a standby may have no fewer of what they count. */
export async function startStandby(
  primary: PostgresServer,
  settings: Readonly<Record<string, string>>,
): Promise<PostgresServer> {
  const [port = 0] = await freePorts(1);
  const folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-postgres-"));
  const { major, superuser } = primary;
  const standby = new PostgresServer(folder, port, { major, superuser, settings });
  try {
    const label = await copied(primary, standby.data);
    writeFileSync(path.join(standby.data, "backup_label"), label);
    writeFileSync(path.join(standby.data, "standby.signal"), "");
    const from = `host=127.0.0.1 port=${primary.port} user=${superuser} application_name=beside`;
    writeFileSync(path.join(standby.data, "postgresql.auto.conf"), `primary_conninfo = '${from}'\n`);
    ownAs(primary.data, folder, standby.data);
    await standby.start();
    return standby;
  } catch (error) {
    await standby.stop();
    throw error;
  }
}

async function copied(primary: PostgresServer, into: string): Promise<string> {
  const client = new pg.Client({ connectionString: primary.url });
  await client.connect();
  try {
    await client.query("SELECT pg_backup_start('standby', true)");
    // what a server removes meanwhile is missing, and does not matter
    await execa("cp", ["-r", primary.data, into], { reject: false });
    for (const each of ["postmaster.pid", "postmaster.opts"]) rmSync(path.join(into, each), { force: true });
    const { rows } = await client.query<{ labelfile: string }>("SELECT labelfile FROM pg_backup_stop(false)");
    return rows[0]?.labelfile ?? "";
  } finally {
    await client.end();
  }
}

/** A copied folder is of its copier; the server wants it as the one that it was copied from. */
function ownAs(example: string, folder: string, data: string): void {
  const { uid, gid } = statSync(example);
  chownSync(folder, uid, gid);
  for (const name of ["", ...readdirSync(data, { recursive: true, encoding: "utf8" })])
    lchownSync(path.join(data, name), uid, gid);
  chmodSync(data, 0o700);
}

// A real PostgreSQL on a host of the lab, as a unit of its own, for the stand-in to keep its rows in.
import { postgresFolder } from "#test/postgres/binaries.ts";
import { type Host, until } from "../harness/index.ts";

const place = "/opt/postgres";
const port = 5433;

export const rowsBinds: Readonly<Record<string, string>> = { [postgresFolder()]: place };

/** After KWDB is installed, before it is started. */
export async function keepRows(host: Host): Promise<void> {
  await host.must(["useradd", "--system", "--create-home", "--user-group", "rows"]);
  await host.must(["install", "-d", "-o", "rows", "-g", "rows", "-m", "0700", "/srv/rows"]);
  const initdb = ["-D", "/srv/rows", "-A", "trust", "-U", "kw", "-E", "UTF8", "--locale=C.UTF-8"];
  await host.must(["runuser", "-u", "rows", "--", `${place}/bin/initdb`, ...initdb]);
  await host.write("/etc/systemd/system/lab-rows.service", unit);
  await host.must(["systemctl", "daemon-reload"]);
  await host.must(["systemctl", "enable", "--now", "--quiet", "lab-rows.service"]);
  const known = await host.read("/etc/kwdb-double/host");
  await host.write("/etc/kwdb-double/host", `${known ?? ""}rows=postgres://kw@127.0.0.1:${port}/postgres\n`);
  const open = `exec 3<>/dev/tcp/127.0.0.1/${port}`;
  await until("PostgreSQL listens", async () => (await host.exec(["bash", "-c", open])).code === 0);
}

const unit = `[Unit]
Description=Rows of the KWDB stand-in
Before=kaiwudb.service
[Service]
User=rows
ExecStart=${place}/bin/postgres -D /srv/rows -p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=
KillSignal=SIGINT
[Install]
WantedBy=multi-user.target
`;

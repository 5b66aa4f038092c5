// What the vendor's `deploy.sh install` does to a host, done with the host's own dpkg and useradd: the stand-in's
// script installs nothing, and the vendor's asks questions.
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type HostOptions, installedFiles } from "#test/doubles/host/create-host.ts";
import { makeNodeCerts } from "#test/doubles/kwdb/make-certs.ts";
import type { Host } from "../harness/index.ts";

/** Makes the host one on which KWDB is installed and stopped. */
export async function installKwdb(host: Host, options: HostOptions): Promise<void> {
  const { folder } = options.installed;
  const versionFile = await readFile(join(folder, "packages/.version"), "utf8");
  const user = ["--system", "--create-home", "--user-group", "--shell", "/bin/bash", "kaiwudb"];
  await host.must(["useradd", ...user]);
  await host.write("/etc/sudoers.d/kaiwudb", "kaiwudb ALL=(ALL) NOPASSWD: ALL\n", "0440");
  await installPackages(host, folder);
  for (const [path, text] of Object.entries(installedFiles(options, versionFile))) {
    await host.write(path, text, path.endsWith(".sh") ? "0755" : "0644");
  }
  if (options.authority !== undefined) {
    const own = join(options.authority, options.name);
    await makeNodeCerts(options.authority, own, [options.ip]);
    await host.copyIn(own, "/etc/kaiwudb/certs");
  }
  const owned = ["/var/lib/kaiwudb", "/etc/kaiwudb/certs", "/usr/local/kaiwudb", "/etc/kwdb-double"];
  await host.must(["mkdir", "-p", ...owned]);
  await host.must(["chown", "-R", "kaiwudb:kaiwudb", ...owned]);
  await letSysctlWrite(host);
}

async function installPackages(host: Host, folder: string): Promise<void> {
  const packages = `/opt/${basename(folder)}-installed`;
  await host.copyIn(join(folder, "packages"), packages);
  await host.must([
    "sh",
    "-ec",
    'dpkg -i "$1"/*libcommon*.deb "$1"/*server*.deb; rm -r "$1"',
    "install",
    packages,
  ]);
}

/**
 * The unit's ExecStartPre sets vm.max_map_count, which a container may not: the value belongs to the whole
 * machine. A file of the host's own is laid over it, at each boot, so that the unit and sysctl stay as they are.
 */
async function letSysctlWrite(host: Host): Promise<void> {
  await host.write("/etc/systemd/system/lab-max-map-count.service", MAX_MAP_COUNT_UNIT);
  await host.must(["systemctl", "daemon-reload"]);
  await host.must(["systemctl", "enable", "--now", "--quiet", "lab-max-map-count.service"]);
}

const MAX_MAP_COUNT_UNIT = `[Unit]
Description=A vm.max_map_count that this host may set
Before=kaiwudb.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=cp /proc/sys/vm/max_map_count /run/max_map_count
ExecStart=mount --bind /run/max_map_count /proc/sys/vm/max_map_count
[Install]
WantedBy=multi-user.target
`;

// The disk of a host: a finished root below, the host's own writes above. Writes go to a real file system, so they
// outlive a power-off of the host.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "./run.ts";
import { shortHash } from "./state-folders.ts";

export interface HostIdentity {
  readonly name: string;
  /** IPv4 address with its prefix length, such as "10.77.0.11/24". */
  readonly address: string;
}

/** Makes and mounts the disk below `folder`; answers with the folder that the host sees as its root. */
export async function mountOverlay(folder: string, lowerRoot: string): Promise<string> {
  const [upper, work, root] = ["upper", "work", "root"].map((part) => join(folder, part)) as [
    string,
    string,
    string,
  ];
  for (const part of [upper, work, root]) mkdirSync(part, { recursive: true });
  const options = `lowerdir=${lowerRoot},upperdir=${upper},workdir=${work}`;
  await mustRun(["mount", "-t", "overlay", "overlay", "-o", options, root]);
  return root;
}

/** Gives a fresh disk its own name, machine id and address; the address comes up with the host's own boot. */
export function writeIdentity(root: string, host: HostIdentity): void {
  const etc = (path: string, text: string) => writeFileSync(join(root, "etc", path), text);
  const ip = host.address.split("/")[0] ?? "";
  etc("hostname", `${host.name}\n`);
  etc("hosts", `127.0.0.1 localhost\n::1 localhost\n${ip} ${host.name}\n`);
  etc("machine-id", `${shortHash(`${root} ${host.name}`).padEnd(32, "0")}\n`);
  etc("systemd/system/lab-address.service", addressUnit(host.address));
  const wants = join(root, "etc/systemd/system/multi-user.target.wants");
  mkdirSync(wants, { recursive: true });
  symlinkSync("/etc/systemd/system/lab-address.service", join(wants, "lab-address.service"));
}

function addressUnit(address: string): string {
  return `[Unit]
Description=Address of this host in the lab
Wants=network.target
Before=network.target network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=ip address replace ${address} dev host0
ExecStart=ip link set host0 up
[Install]
WantedBy=multi-user.target
`;
}

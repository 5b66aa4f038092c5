/** What a person does on a host without the product: unpacks the new package, stops the database, calls the script. */
import { spawn } from "node:child_process";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import type { DemoHost } from "#test/doubles/host/create-host.ts";

const scriptMs = 60_000;

/** Resolves with the exit code; what the script leaves running ends with it, as with the terminal it was typed in. */
export async function upgradeByHand(host: DemoHost, unpacked: string): Promise<number> {
  const folder = host.path("/root/kwdb_install");
  await cp(unpacked, folder, { recursive: true });
  await host.run("systemctl", ["stop", "kaiwudb"]);
  return deployIn(host, folder);
}

async function deployIn(host: DemoHost, cwd: string): Promise<number> {
  const env = { ...process.env, ...host.env };
  const child = spawn("./deploy.sh", ["upgrade", "-l"], { cwd, env, detached: true, stdio: "ignore" });
  const limit = setTimeout(() => child.kill("SIGKILL"), scriptMs);
  const code = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (ended) => resolve(ended ?? -1));
  });
  clearTimeout(limit);
  endGroup(child.pid);
  return code;
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // nothing of it is left
  }
}

export function unpackedIn(folder: string, version: string): string {
  return join(folder, `package-${version}`, "kwdb_install");
}

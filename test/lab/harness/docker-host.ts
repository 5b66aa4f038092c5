// Hosts with a Docker engine of their own: Debian 13 with the distribution's docker.io and docker-compose, booted so
// that the engine may have control groups, keyrings and eBPF; its folder lies on a real file system, because on an
// overlay the engine silently falls back to copying whole trees.
import { mkdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Host } from "./host.ts";
import type { HostSpec, Lab } from "./lab.ts";
import { debianRoot } from "./root.ts";

const PACKAGES = ["docker.io", "docker-cli", "docker-compose", "iptables", "openssl"];
const ENGINE_LIMIT_MS = 60_000;

/** A host on which `docker info` answers. Throws with the engine's last words where it does not come up. */
export async function dockerHost(lab: Lab, spec: Omit<HostSpec, "root">): Promise<Host> {
  const root = await debianRoot({ suite: "trixie", packages: PACKAGES });
  const folder = lab.file(`${spec.name}-docker`);
  mkdirSync(folder, { recursive: true });
  const host = await lab.host({
    ...spec,
    root,
    unifiedCgroups: true,
    nspawnArgs: [
      "--capability=all",
      "--system-call-filter=@keyring bpf",
      `--bind=${folder}:/var/lib/docker`,
      ...(spec.nspawnArgs ?? []),
    ],
  });
  await untilEngineAnswers(host);
  return host;
}

async function untilEngineAnswers(host: Host): Promise<void> {
  const deadline = performance.now() + ENGINE_LIMIT_MS;
  for (;;) {
    const info = await host.exec(["docker", "info", "--format", "{{.Driver}}"], { timeoutMs: 10_000 });
    if (info.code === 0) return;
    if (performance.now() > deadline) {
      const words = await host.journal({ unit: "docker" });
      const last = words.slice(-5).map(({ message }) => message);
      throw new Error(`${host.name}: no Docker engine: ${info.stderr}\n${last.join("\n")}`);
    }
    await sleep(300);
  }
}

// The last question before a suite counts on hosts: does one really come up here? Asked once after each start of
// this machine, because the answer costs a boot.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Availability, labAvailable } from "./available.ts";
import { createLab } from "./lab.ts";
import { debianRoot } from "./root.ts";
import { labFolder } from "./state-folders.ts";

/** `labAvailable`, and a Debian 12 root is there and a host has booted from it. Builds the root when needed. */
export async function labReady(): Promise<Availability> {
  const available = await labAvailable();
  if (!available.ok) return available;
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const proof = join(labFolder(), `host-came-up-${bootId}`);
  if (existsSync(proof)) return available;
  try {
    await bootOnce();
  } catch (error) {
    return { ok: false, reason: firstLines(error instanceof Error ? error.message : String(error)) };
  }
  writeFileSync(proof, "");
  return available;
}

async function bootOnce(): Promise<void> {
  const root = await debianRoot({ suite: "bookworm" });
  await using lab = await createLab({ name: "probe" });
  await lab.host({ name: "probe", root, ip: "10.77.0.2" });
}

function firstLines(message: string): string {
  return `no host comes up here: ${message.trim().split("\n").slice(0, 3).join(" / ").slice(0, 300)}`;
}

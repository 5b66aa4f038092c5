/** Which package manager a host has, by what works there. */
import type { Host } from "../../verb.ts";

const lookMs = 5_000;

/** Undefined: neither of them. */
export async function packageToolOn(host: Host): Promise<"dpkg" | "rpm" | undefined> {
  // deploy.sh of KWDB decides in the same way
  const dpkg = await host.look(["dpkg", "--help"], { deadlineMs: lookMs });
  if (dpkg.exitCode === 0) return "dpkg";
  const rpm = await host.look(["rpm", "--version"], { deadlineMs: lookMs });
  return rpm.exitCode === 0 ? "rpm" : undefined;
}

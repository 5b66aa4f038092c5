/** Which form of installation this host has. */
import type { Host } from "../../verb.ts";
import { compiledInstallation } from "./compiled-installation.ts";
import type { Installation, Means } from "./installation.ts";
import { scriptInstallation } from "./script-installation.ts";

/** Looked for anew each time: reading MODE is cheap, and an upgrade may change it. */
export async function installationOn(host: Host, means: Means): Promise<Installation> {
  const { program } = means.settings;
  return program === undefined ? scriptInstallation(host, means) : compiledInstallation(host, means, program);
}

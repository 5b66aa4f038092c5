/** Which form of installation this host has: by the agent's own file, and else by the installer's MODE file. */
import { type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";
import { compiledInstallation } from "./compiled-installation.ts";
import { composed } from "./composed.ts";
import { type ContainerInstallation, containerInstallation } from "./container-installation.ts";
import type { Installation, Means } from "./installation.ts";
import { readMode } from "./mode.ts";
import { paths } from "./paths.ts";
import { scriptInstallation } from "./script-installation.ts";

/** Looked for anew each time: reading MODE is cheap, and an upgrade may change what there is. */
export async function installationOn(host: Host, means: Means): Promise<Installation> {
  const { program } = means.settings;
  if (program !== undefined) return compiledInstallation(host, means, program);
  return (await containerOn(host, means)) ?? scriptInstallation(host, means);
}

/** undefined: this host's database is in no container. */
export async function containerOn(host: Host, means: Means): Promise<ContainerInstallation | undefined> {
  const { unit, compose, container } = means.settings;
  if (compose !== undefined) {
    const name = await composed(host, means.settings, compose);
    return containerInstallation(host, means, { form: "compose", name, composeFile: compose });
  }
  if (container !== undefined)
    return containerInstallation(host, means, { form: "docker-run", name: succeed(container) });
  const mode = await readMode(host);
  if (!mode.ok || mode.value.kind !== "container") return undefined;
  const name: Outcome<string> = succeed(vendorsContainer);
  return containerInstallation(host, means, {
    form: "compose-service",
    name,
    composeFile: paths.composeFile,
    unit,
  });
}

/** As deploy.sh names it. */
export const vendorsContainer = "kaiwudb-container";

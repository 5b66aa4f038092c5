import type { Installation } from "#agent/engines/kwdb/installation.ts";
import { ProgramCache } from "#agent/engines/kwdb/program-cache.ts";
import { scriptInstallation } from "#agent/engines/kwdb/script-installation.ts";
import type { Host } from "#agent/verb.ts";

/** The script's form on a host, with the settings that an agent's file has by default. */
export function onHost(host: Host): Installation {
  return scriptInstallation(host, {
    settings: { unit: "kaiwudb" },
    programs: new ProgramCache(),
    images: new Map(),
  });
}

/** KWDB on the host itself, by the vendor's script: binary, unit, MODE and `.version` where its installer puts them. */
import { succeed } from "#proto/common/failure.ts";
import type { Mode } from "#proto/engines/kwdb.ts";
import type { Host } from "../../verb.ts";
import { hashesOf, isThere } from "./files.ts";
import { type Installation, type Means, placeInMode, runningOr } from "./installation.ts";
import { readMode } from "./mode.ts";
import { paths, unitFile } from "./paths.ts";
import { serversOf } from "./processes.ts";
import { readBinary } from "./program.ts";
import { storesOfProcess } from "./stores.ts";
import { readUnit } from "./unit.ts";
import { readVersionFile } from "./version-text.ts";

export function scriptInstallation(host: Host, { settings, programs }: Means): Installation {
  const { unit } = settings;
  const service: Installation["service"] = async () => {
    const state = await readUnit(host, unit);
    return state.ok ? succeed({ ...state.value, supervisorPid: 0 }) : state;
  };
  return {
    host,
    form: "script",
    unit,
    mode: () => readMode(host),
    data: () => placeInMode(() => readMode(host)),
    stores: async () => {
      const state = await service();
      return state.ok ? storesOfProcess(host, state.value.mainPid) : state;
    },
    service,
    versionFile: () => readVersionFile(host),
    program: () => readBinary(host, paths.binary),
    running: async (ownBuild) => {
      const state = await service();
      if (!state.ok) return state;
      const pid = runningOr(state.value.mainPid);
      if (!pid.ok) return pid;
      const found = await programs.read(host, pid.value);
      if (!found.ok) return found;
      const { version, ...program } = found.value;
      if (version !== undefined) return succeed({ pid: pid.value, version, ...program });
      const build = await ownBuild();
      return build.ok ? succeed({ pid: pid.value, version: build.value, ...program }) : build;
    },
    hasClient: () => isThere(host.path(paths.binary)),
    client: (mode, words, at = `127.0.0.1:${mode.sqlPort}`) => ({
      argv: [
        host.path(paths.binary),
        ...words,
        ...securityWords(mode, host.path(paths.certs)),
        `--host=${at}`,
      ],
      cwd: host.path(paths.bin),
      user: mode.user,
    }),
    order: (order) => ({ argv: ["systemctl", order, unit] }),
    leftOvers: () => serversOf(host.path(paths.binary)),
    configuration: () => hashesOf(host, [paths.mode, paths.nodeFile, paths.environment]),
    worthSaving: [paths.etc, unitFile(unit)],
  };
}

export function securityWords({ security }: Pick<Mode, "security">, certs: string): readonly string[] {
  switch (security) {
    case "insecure":
      return ["--insecure"];
    case "tls":
      return [`--certs-dir=${certs}`];
    case "tlcp":
      return [`--certs-dir=${certs}`, "--tlcp"];
  }
}

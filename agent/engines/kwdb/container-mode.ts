/** What a container tells of the node in it, in the words of MODE, and whether it runs. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Mode } from "#proto/engines/kwdb.ts";
import type { Host } from "../../verb.ts";
import { onHostPath, onHostPort, serverWords, volumeOf } from "./container-words.ts";
import type { Inspected } from "./docker.ts";
import { readText } from "./files.ts";
import type { CertificatesPlace, DataPlace, ServiceState } from "./installation.ts";
import { readUnit } from "./unit.ts";

export type MustInspect = () => Promise<Outcome<Inspected>>;

/** `supervisorPid` is docker-compose under the unit; a container that the engine restarts again and again is not down. */
export async function stateOf(
  host: Host,
  unit: string | undefined,
  inspect: () => Promise<Outcome<Inspected | undefined>>,
): Promise<Outcome<ServiceState>> {
  const found = await inspect();
  if (!found.ok) return found;
  const container = found.value?.State;
  const mainPid = container?.Running === true ? container.Pid : 0;
  if (unit !== undefined) {
    const state = await readUnit(host, unit);
    if (!state.ok) return state;
    return succeed({ ...state.value, mainPid, supervisorPid: state.value.mainPid });
  }
  const isRestarting = container?.Restarting === true;
  return succeed({
    loaded: container !== undefined,
    active: container === undefined ? "inactive" : container.Running ? "active" : "inactive",
    sub: container?.Status ?? "no container",
    mainPid,
    supervisorPid: isRestarting ? 1 : 0,
    needsReload: false,
  });
}

/** Where the data is by the container's words and mounts alone. */
export async function placeOf(mustInspect: MustInspect): Promise<Outcome<DataPlace>> {
  const found = await mustInspect();
  if (!found.ok) return found;
  const words = serverWords(found.value);
  if (!words.ok) return words;
  const root = onHostPath(found.value, words.value.store);
  if (!root.ok) return root;
  const volume = volumeOf(found.value, words.value.store);
  return succeed({ root: root.value, ...(volume === undefined ? {} : { volume }) });
}

/** As MODE would say it, by the container's own command, its mounts and its ports. */
export async function modeOf(host: Host, mustInspect: MustInspect): Promise<Outcome<Mode>> {
  const found = await mustInspect();
  if (!found.ok) return found;
  const words = serverWords(found.value);
  if (!words.ok) return words;
  const dataRoot = onHostPath(found.value, words.value.store);
  if (!dataRoot.ok) return dataRoot;
  const sqlPort = onHostPort(found.value, words.value.sqlPort);
  if (!sqlPort.ok) return sqlPort;
  const httpPort = onHostPort(found.value, words.value.httpPort);
  if (!httpPort.ok) return httpPort;
  // the node's own word for where the others, and its own row, have it
  const told = await readText(host, `${dataRoot.value}/kwbase.advertise-addr`);
  if (!told.ok) return told;
  const advertised = told.value.trim();
  return succeed({
    kind: "container",
    topology: words.value.topology,
    place: found.value.Config.Image,
    dataRoot: dataRoot.value,
    sqlPort: sqlPort.value,
    httpPort: httpPort.value,
    user: "",
    security: words.value.security,
    encrypted: words.value.encrypted,
    address: advertised.replace(/:\d+$/, ""),
    advertised,
    within: { sqlPort: words.value.sqlPort, certs: words.value.certs ?? "" },
  });
}

/**
 * undefined: it has none. Refused: `kwdb.container-certificates-inside`: what is not mounted goes with the container, and
 * the next one would have none.
 */
export async function certificatesOf(
  mustInspect: MustInspect,
): Promise<Outcome<CertificatesPlace | undefined>> {
  const found = await mustInspect();
  if (!found.ok)
    return found.failure.code === "kwdb.container-missing"
      ? succeed({ notSeen: "there was no container to tell where its certificates are" })
      : found;
  const words = serverWords(found.value);
  if (!words.ok) return words;
  const { certs } = words.value;
  if (certs === undefined) return succeed(undefined);
  const place = onHostPath(found.value, certs);
  return place.ok
    ? succeed({ onHost: place.value })
    : fail("kwdb.container-certificates-inside", { path: certs });
}

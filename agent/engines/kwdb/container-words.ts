/** What a container's own command says of the node in it, as MODE says it of a node on the host. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Mode } from "#proto/engines/kwdb.ts";
import type { Inspected } from "./docker.ts";
import { pathIn } from "./store-words.ts";

const topologies = {
  "start-single-node": "single",
  "start-single-replica": "single-replication",
  start: "multi-replication",
} as const;

/** The server's words within the container. */
export interface ServerWords {
  readonly topology: Mode["topology"];
  readonly security: Mode["security"];
  /** Paths within the container. */
  readonly certs: string | undefined;
  readonly store: string;
  readonly sqlPort: number;
  readonly httpPort: number;
  readonly encrypted: boolean;
}

/** Refused: `kwdb.container-command`. */
export function serverWords({ Config }: Pick<Inspected, "Config">): Outcome<ServerWords> {
  const words = wordsOf({ Config });
  const line = words.join(" ");
  const at = words.findIndex((word) => /(^|\/)kwbase$/.test(word));
  const order = words[at + 1] ?? "";
  if (at === -1 || !isOrder(order)) return fail("kwdb.container-command", { command: line.slice(0, 300) });
  const flags = readFlags(words.slice(at + 2));
  const certs = flags.get("certs-dir");
  const security = flags.has("insecure") ? "insecure" : flags.has("tlcp") ? "tlcp" : "tls";
  if (security !== "insecure" && certs === undefined)
    return fail("kwdb.container-command", {
      command: `${line.slice(0, 300)} (no --insecure, no --certs-dir)`,
    });
  return succeed({
    topology: topologies[order],
    security,
    certs,
    store: pathIn(flags.get("store") ?? "kwbase-data"),
    sqlPort: portOf(flags.get("listen-addr"), 26_257),
    httpPort: portOf(flags.get("http-addr"), 8_080),
    encrypted: flags.has("store-encryption"),
  });
}

/** What is run in it, without the quotes of a shell around it. */
export function wordsOf({ Config }: Pick<Inspected, "Config">): readonly string[] {
  const line = [...(Config.Entrypoint ?? []), ...(Config.Cmd ?? [])].join(" ");
  return line.split(/\s+/).map((word) => word.replace(/^["']|["']$/g, ""));
}

function isOrder(word: string): word is keyof typeof topologies {
  return Object.hasOwn(topologies, word);
}

function readFlags(words: readonly string[]): ReadonlyMap<string, string> {
  const flags = new Map<string, string>();
  for (const [at, word] of words.entries()) {
    const [, name, value] = /^--([a-z-]+)(?:=(.*))?$/.exec(word) ?? [];
    const next = words[at + 1];
    if (name !== undefined)
      flags.set(name, value ?? (next === undefined || next.startsWith("-") ? "" : next));
  }
  return flags;
}

function portOf(address: string | undefined, otherwise: number): number {
  const port = Number(/:(\d+)$/.exec(address ?? "")?.[1]);
  return Number.isInteger(port) && port > 0 ? port : otherwise;
}

/**
 * Where a path of the container lies on the host. Refused: `kwdb.container-data-inside`, for a path in the
 * container's own layer, which goes with the container.
 */
export function onHostPath({ Mounts }: Pick<Inspected, "Mounts">, path: string): Outcome<string> {
  const mount = mountOf({ Mounts }, path);
  if (mount?.Source === undefined || mount.Source === "" || mount.Type === "tmpfs")
    return fail("kwdb.container-data-inside", { path });
  return succeed(`${mount.Source}${path.slice(mount.Destination.replace(/\/$/, "").length)}`);
}

/** The volume that holds a path of the container: the engine's own to keep, and to remove. */
export function volumeOf(container: Pick<Inspected, "Mounts">, path: string): string | undefined {
  const mount = mountOf(container, path);
  return mount?.Type === "volume" ? (mount.Name ?? "?") : undefined;
}

/** The innermost. */
function mountOf({ Mounts }: Pick<Inspected, "Mounts">, path: string) {
  const holds = (folder: string) => path === folder || path.startsWith(`${folder.replace(/\/$/, "")}/`);
  return Mounts.filter(({ Destination }) => holds(Destination))
    .sort((left, right) => right.Destination.length - left.Destination.length)
    .at(0);
}

interface Binding {
  readonly HostIp?: string;
  readonly HostPort?: string;
}

/** Addresses on which a published port is reached from the host itself. */
const everywhere = new Set(["", "0.0.0.0", "::", "127.0.0.1"]);

/**
 * The host's port for one of the container's. Refused: `kwdb.container-port`, where it is not published, or on an
 * address only that the host itself does not answer on by 127.0.0.1.
 */
export function onHostPort({ HostConfig }: Pick<Inspected, "HostConfig">, port: number): Outcome<number> {
  if (HostConfig["NetworkMode"] === "host") return succeed(port);
  const bindings = HostConfig["PortBindings"] as Readonly<Record<string, readonly Binding[] | null>> | null;
  const [found] = (bindings?.[`${port}/tcp`] ?? []).filter(({ HostIp = "" }) => everywhere.has(HostIp));
  const published = Number(found?.HostPort);
  return found !== undefined && Number.isInteger(published) && published > 0
    ? succeed(published)
    : fail("kwdb.container-port", { port: String(port) });
}

/**
 * The words of `docker create` that make a container like another one: what its operator gave, found by comparing
 * `docker inspect` of the container with its image's own defaults and with the engine's. What these words cannot say
 * is refused by name: nothing is dropped in silence.
 */

import { hostConfigWords } from "./container-host-config.ts";
import {
  both,
  carried,
  flags,
  isBlank,
  isEmpty,
  isSame,
  nothingSaid,
  type Part,
  refusedAs,
} from "./container-part.ts";
import type { Inspected, InspectedImage } from "./docker.ts";

export interface Repeated {
  /** Between `docker create --name NAME` and the image. */
  readonly options: readonly string[];
  /** After the image. */
  readonly command: readonly string[];
  /** `field=value` of what cannot be repeated. */
  readonly refused: readonly string[];
}

export interface EngineDefaults {
  readonly hostName: string;
  /** `docker info`: the driver of containers that name none. */
  readonly logDriver: string;
}

export function repeat(old: Inspected, image: InspectedImage, defaults: EngineDefaults): Repeated {
  const { entrypoint, command } = entrypointOf(old, image);
  const part = both([
    configPart(old, image, defaults),
    hostConfigWords(old, defaults),
    networksPart(old),
    volumesPart(old),
    entrypoint,
  ]);
  return { options: part.words, command, refused: part.refused };
}

type Fields = Readonly<Record<string, unknown>>;

/** Config of the container against Config of its image; a field that is not known here must be empty or the image's. */
function configPart(
  { Id, Config, HostConfig }: Inspected,
  image: InspectedImage,
  { hostName }: EngineDefaults,
): Part {
  const own: Fields = Config;
  const defaults: Fields = image.Config ?? {};
  const parts = Object.entries(own).map(([field, value]): Part => {
    if (isEmpty(value) || ignored.has(field)) return nothingSaid;
    switch (field) {
      case "Hostname": {
        const isOwn =
          value === Id.slice(0, 12) || (HostConfig["NetworkMode"] === "host" && value === hostName);
        return isOwn ? nothingSaid : carried(["--hostname", String(value)]);
      }
      case "Env":
        return carried(flags("--env", without(value, defaults["Env"])));
      case "Labels":
        return labelsPart(value as Readonly<Record<string, string>>, defaults["Labels"]);
      case "ExposedPorts":
        return carried(flags("--expose", exposed(value, defaults[field], HostConfig["PortBindings"])));
      case "Tty":
        return carried(["--tty"]);
      case "OpenStdin":
        return carried(["--interactive"]);
      default: {
        if (isSame(value, defaults[field])) return nothingSaid;
        const flag = texts[field];
        return flag === undefined ? refusedAs(field, value) : carried([flag, String(value)]);
      }
    }
  });
  return both(parts);
}

/** Said otherwise, or of no consequence to a container that is made anew. */
const ignored = new Set([
  "Image",
  "Cmd",
  "Entrypoint",
  "Volumes",
  "AttachStdin",
  "AttachStdout",
  "AttachStderr",
  "StdinOnce",
  "ArgsEscaped",
  "OnBuild",
]);

const texts: Readonly<Record<string, string>> = {
  Domainname: "--domainname",
  User: "--user",
  WorkingDir: "--workdir",
  StopSignal: "--stop-signal",
  StopTimeout: "--stop-timeout",
};

/** A container of compose is compose's to make: its labels say so. */
function labelsPart(labels: Readonly<Record<string, string>>, ofImage: unknown): Part {
  const defaults = (ofImage ?? {}) as Readonly<Record<string, string>>;
  const own = Object.entries(labels).filter(([name, value]) => defaults[name] !== value);
  const composed = own.find(([name]) => name.startsWith("com.docker.compose."));
  if (composed !== undefined) return refusedAs("Labels", composed[0]);
  return carried(
    flags(
      "--label",
      own.map(([name, value]) => `${name}=${value}`),
    ),
  );
}

function without(all: unknown, known: unknown): readonly string[] {
  const defaults = new Set((known ?? []) as readonly string[]);
  return (all as readonly string[]).filter((each) => !defaults.has(each));
}

/** Those that are neither the image's nor there because they are published. */
function exposed(all: unknown, ofImage: unknown, published: unknown): readonly string[] {
  const known = new Set([
    ...Object.keys((ofImage ?? {}) as object),
    ...Object.keys((published ?? {}) as object),
  ]);
  return Object.keys(all as object).filter((port) => !known.has(port));
}

/** `--entrypoint` takes one word: the others go before the command, which is the same to the engine. */
function entrypointOf({ Config }: Inspected, image: InspectedImage) {
  const own = Config.Entrypoint ?? [];
  const command = Config.Cmd ?? [];
  if (isSame(own, image.Config?.Entrypoint ?? [])) {
    const isDefault = isSame(command, image.Config?.Cmd ?? []);
    return { entrypoint: nothingSaid, command: isDefault ? [] : command };
  }
  const [first = "", ...rest] = own;
  return { entrypoint: carried(["--entrypoint", first]), command: [...rest, ...command] };
}

interface Endpoint {
  readonly Aliases?: readonly string[] | null;
  readonly IPAMConfig?: Readonly<Record<string, unknown>> | null;
  readonly DriverOpts?: unknown;
}

/** One network, by the mode; further ones were joined later and would be missed. */
function networksPart({ Id, Name, HostConfig, NetworkSettings }: Inspected): Part {
  const mode = String(HostConfig["NetworkMode"] ?? "default");
  const networks = (NetworkSettings?.Networks ?? {}) as Readonly<Record<string, Endpoint | null>>;
  const further = Object.keys(networks).filter(
    (name) => name !== mode && !(mode === "default" && name === "bridge"),
  );
  const { Aliases, IPAMConfig, DriverOpts } = networks[mode] ?? {};
  const { IPv4Address, IPv6Address, ...rest } = IPAMConfig ?? {};
  const own = new Set([Id.slice(0, 12), Name.replace(/^\//, "")]);
  return both([
    carried(
      flags(
        "--network-alias",
        [...new Set(Aliases ?? [])].filter((alias) => !own.has(alias)),
      ),
    ),
    isEmpty(IPv4Address) ? nothingSaid : carried(["--ip", String(IPv4Address)]),
    isEmpty(IPv6Address) ? nothingSaid : carried(["--ip6", String(IPv6Address)]),
    isBlank(rest) ? nothingSaid : refusedAs("IPAMConfig", rest),
    isBlank(DriverOpts) ? nothingSaid : refusedAs("DriverOpts", DriverOpts),
    further.length === 0 ? nothingSaid : refusedAs("Networks", further.join(", ")),
  ]);
}

/** An anonymous volume is given to the new container by its name; a new one would be empty. */
function volumesPart({ Mounts, HostConfig }: Inspected): Part {
  const binds = (HostConfig["Binds"] ?? []) as readonly string[];
  const mounts = (HostConfig["Mounts"] ?? []) as readonly { readonly Target?: string }[];
  const said = new Set([
    ...binds.map((bind) => bind.split(":")[1] ?? ""),
    ...mounts.map(({ Target = "" }) => Target),
    ...Object.keys((HostConfig["Tmpfs"] ?? {}) as object),
  ]);
  const anonymous = Mounts.filter(({ Destination }) => !said.has(Destination));
  return both(
    anonymous.map(({ Type, Name, Destination, RW }) =>
      Type === "volume" && Name !== undefined
        ? carried(["--volume", `${Name}:${Destination}${RW === false ? ":ro" : ""}`])
        : refusedAs("Mounts", `${Type} at ${Destination}`),
    ),
  );
}

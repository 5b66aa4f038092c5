/** HostConfig of a container as words of `docker create`; a field that is not known here must be empty. */
import {
  both,
  carried,
  flags,
  isBlank,
  isEmpty,
  nothingSaid,
  type Part,
  refusedAs,
} from "./container-part.ts";
import type { Inspected } from "./docker.ts";

type Say = (value: unknown, all: Inspected["HostConfig"], logDriver: string) => Part;

export function hostConfigWords(
  { HostConfig }: Pick<Inspected, "HostConfig">,
  { logDriver }: { readonly logDriver: string },
): Part {
  return both(
    Object.entries(HostConfig).map(([field, value]) => {
      if (isEmpty(value) && field !== "MaskedPaths" && field !== "ReadonlyPaths") return nothingSaid;
      const say = fields[field];
      return say === undefined ? refusedAs(field, value) : say(value, HostConfig, logDriver);
    }),
  );
}

const nothing: Say = () => nothingSaid;
const text =
  (flag: string, otherwise?: unknown): Say =>
  (value) =>
    value === otherwise ? nothingSaid : carried([flag, String(value)]);
const list =
  (flag: string): Say =>
  (value) =>
    carried(flags(flag, value as readonly string[]));
const given =
  (flag: string): Say =>
  () =>
    carried([flag]);
const pairs =
  (flag: string): Say =>
  (value) =>
    carried(
      flags(
        flag,
        Object.entries(value as Readonly<Record<string, string>>).map(([name, each]) =>
          each === "" ? name : `${name}=${each}`,
        ),
      ),
    );

interface Ulimit {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

interface Device {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  readonly CgroupPermissions: string;
}

const networkMode: Say = (value) => {
  const mode = String(value);
  if (mode === "default" || mode === "bridge") return nothingSaid;
  return mode.startsWith("container:") ? refusedAs("NetworkMode", mode) : carried(["--network", mode]);
};

/** A port that the engine had chosen would be another one now. */
const portBindings: Say = (value) =>
  both(
    Object.entries(
      value as Readonly<Record<string, readonly { HostIp?: string; HostPort?: string }[] | null>>,
    ).flatMap(([port, bindings]) =>
      (bindings ?? []).map(({ HostIp = "", HostPort = "" }) =>
        HostPort === "" || HostPort === "0"
          ? refusedAs("PortBindings", `${port} on a port chosen by the engine`)
          : carried(["--publish", `${HostIp === "" ? "" : `${HostIp}:`}${HostPort}:${port}`]),
      ),
    ),
  );

const restartPolicy: Say = (value) => {
  const { Name = "", MaximumRetryCount = 0 } = value as { Name?: string; MaximumRetryCount?: number };
  if (Name === "" || Name === "no") return nothingSaid;
  return carried(["--restart", MaximumRetryCount > 0 ? `${Name}:${MaximumRetryCount}` : Name]);
};

const logConfig: Say = (value, _, logDriver) => {
  const { Type = "", Config } = value as { Type?: string; Config?: Readonly<Record<string, string>> | null };
  const options = Object.entries(Config ?? {}).map(([name, each]) => `${name}=${each}`);
  return carried([
    ...(Type === "" || Type === logDriver ? [] : ["--log-driver", Type]),
    ...flags("--log-opt", options),
  ]);
};

/** `/other:/this/alias`. */
const links: Say = (value) =>
  carried(
    flags(
      "--link",
      (value as readonly string[]).map((link) => {
        const [other = "", own = ""] = link.split(":");
        return `${other.replace(/^\//, "")}:${own.split("/").at(-1) ?? ""}`;
      }),
    ),
  );

const securityOpt: Say = (value, { Privileged }) =>
  carried(
    flags(
      "--security-opt",
      // the engine adds it by itself
      (value as readonly string[]).filter((each) => !(Privileged === true && each === "label=disable")),
    ),
  );

/** The engine masks these unless the container is privileged; `[]` is somebody's wish. */
const systemPaths: Say = (value, { Privileged }) =>
  Privileged === true || value === null || value === undefined || (value as readonly string[]).length > 0
    ? nothingSaid
    : carried(["--security-opt", "systempaths=unconfined"]);

const mounts: Say = (value) =>
  both(
    (value as readonly Readonly<Record<string, unknown>>[]).map((mount) => {
      const { Type, Source, Target, ReadOnly, ...rest } = mount;
      if (!isBlank(rest) || isEmpty(Source) || (Type !== "bind" && Type !== "volume"))
        return refusedAs("Mounts", mount);
      const words = [`type=${Type}`, `source=${String(Source)}`, `target=${String(Target)}`];
      return carried(["--mount", [...words, ...(ReadOnly === true ? ["readonly"] : [])].join(",")]);
    }),
  );

const shmBytes = 64 * 1024 ** 2;

const fields: Readonly<Record<string, Say>> = {
  Binds: list("--volume"),
  Mounts: mounts,
  Tmpfs: (value) =>
    carried(
      flags(
        "--tmpfs",
        Object.entries(value as Readonly<Record<string, string>>).map(([path, options]) =>
          options === "" ? path : `${path}:${options}`,
        ),
      ),
    ),
  NetworkMode: networkMode,
  PortBindings: portBindings,
  RestartPolicy: restartPolicy,
  LogConfig: logConfig,
  Links: links,
  Privileged: given("--privileged"),
  ReadonlyRootfs: given("--read-only"),
  Init: given("--init"),
  OomKillDisable: given("--oom-kill-disable"),
  CapAdd: list("--cap-add"),
  CapDrop: list("--cap-drop"),
  SecurityOpt: securityOpt,
  MaskedPaths: systemPaths,
  // said by the one above
  ReadonlyPaths: nothing,
  Dns: list("--dns"),
  DnsOptions: list("--dns-option"),
  DnsSearch: list("--dns-search"),
  ExtraHosts: list("--add-host"),
  GroupAdd: list("--group-add"),
  DeviceCgroupRules: list("--device-cgroup-rule"),
  Sysctls: pairs("--sysctl"),
  Annotations: pairs("--annotation"),
  IpcMode: text("--ipc", "private"),
  PidMode: text("--pid"),
  UTSMode: text("--uts"),
  UsernsMode: text("--userns"),
  CgroupnsMode: text("--cgroupns", "private"),
  CgroupParent: text("--cgroup-parent"),
  Runtime: text("--runtime", "runc"),
  ShmSize: text("--shm-size", shmBytes),
  OomScoreAdj: text("--oom-score-adj"),
  PidsLimit: text("--pids-limit", -1),
  CpuShares: text("--cpu-shares"),
  CpuPeriod: text("--cpu-period"),
  CpuQuota: text("--cpu-quota"),
  CpusetCpus: text("--cpuset-cpus"),
  CpusetMems: text("--cpuset-mems"),
  NanoCpus: (value) => carried(["--cpus", String(Number(value) / 1e9)]),
  Memory: text("--memory"),
  MemoryReservation: text("--memory-reservation"),
  // twice the memory is what the engine takes where only that was given
  MemorySwap: (value, { Memory }) =>
    value === Number(Memory) * 2 ? nothingSaid : carried(["--memory-swap", String(value)]),
  MemorySwappiness: text("--memory-swappiness", -1),
  BlkioWeight: text("--blkio-weight"),
  Ulimits: (value) =>
    carried(
      flags(
        "--ulimit",
        (value as readonly Ulimit[]).map(({ Name, Soft, Hard }) => `${Name}=${Soft}:${Hard}`),
      ),
    ),
  Devices: (value) =>
    carried(
      flags(
        "--device",
        (value as readonly Device[]).map(
          ({ PathOnHost, PathInContainer, CgroupPermissions }) =>
            `${PathOnHost}:${PathInContainer}:${CgroupPermissions}`,
        ),
      ),
    ),
};

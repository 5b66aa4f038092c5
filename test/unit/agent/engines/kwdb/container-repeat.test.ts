import { describe, expect, it } from "vitest";
import { repeat } from "#agent/engines/kwdb/container-repeat.ts";
import {
  type Inspected,
  type InspectedImage,
  imageSchema,
  inspectedSchema,
} from "#agent/engines/kwdb/docker.ts";

const id = "0123456789ab".padEnd(64, "c");
const volume = "f".repeat(64);

const image: InspectedImage = imageSchema.parse({
  Id: "sha256:1",
  Config: {
    Env: ["PATH=/usr/bin", "FROM_IMAGE=1"],
    Cmd: ["/bin/bash"],
    Entrypoint: null,
    WorkingDir: "/kaiwudb/bin",
    User: "",
    Labels: { vendor: "kwdb" },
    Volumes: { "/kaiwudb/image": {} },
    ExposedPorts: { "26257/tcp": {} },
  },
});

/** As Docker 26 answers for a container with nothing but its image. */
const hostConfig = {
  Binds: null,
  ContainerIDFile: "",
  LogConfig: { Type: "json-file", Config: {} },
  NetworkMode: "bridge",
  PortBindings: {},
  RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
  AutoRemove: false,
  VolumeDriver: "",
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: "private",
  Dns: [],
  DnsOptions: [],
  DnsSearch: [],
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: "private",
  Cgroup: "",
  Links: null,
  OomScoreAdj: 0,
  PidMode: "",
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: "",
  UsernsMode: "",
  ShmSize: 67_108_864,
  Runtime: "runc",
  Isolation: "",
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: "",
  BlkioWeight: 0,
  BlkioWeightDevice: [],
  CpuPeriod: 0,
  CpuQuota: 0,
  CpusetCpus: "",
  CpusetMems: "",
  Devices: [],
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: null,
  PidsLimit: null,
  Ulimits: [],
  MaskedPaths: ["/proc/acpi"],
  ReadonlyPaths: ["/proc/bus"],
};

const config = {
  Hostname: id.slice(0, 12),
  Domainname: "",
  User: "",
  AttachStdout: true,
  ExposedPorts: { "26257/tcp": {} },
  Tty: false,
  OpenStdin: false,
  Env: ["PATH=/usr/bin", "FROM_IMAGE=1"],
  Cmd: ["/bin/bash"],
  Image: "kwdb/kwdb:3.0.0",
  Volumes: null,
  WorkingDir: "/kaiwudb/bin",
  Entrypoint: null,
  OnBuild: null,
  Labels: { vendor: "kwdb" },
};

type Part = Readonly<Record<string, unknown>>;

function container({
  own = {},
  host = {},
  mounts = [],
  networks = { bridge: {} },
}: {
  readonly own?: Part;
  readonly host?: Part;
  readonly mounts?: readonly Part[];
  readonly networks?: Part;
}): Inspected {
  return inspectedSchema.parse({
    Id: id,
    Name: "/kwdb",
    Image: "sha256:1",
    State: { Status: "running", Running: true, Pid: 1, StartedAt: "2026-01-01T00:00:00Z" },
    Config: { ...config, ...own },
    HostConfig: { ...hostConfig, ...host },
    Mounts: mounts,
    NetworkSettings: { Networks: networks },
  });
}

function wordsOf(parts: Parameters<typeof container>[0]) {
  return repeat(container(parts), image, { hostName: "db1", logDriver: "json-file" });
}

describe("a container made again", () => {
  it("needs no word where nothing but its image was given", () => {
    expect(wordsOf({})).toEqual({ options: [], command: [], refused: [] });
  });

  it("is made of the words of the vendor's page", () => {
    const made = wordsOf({
      own: {
        Cmd: ["./kwbase", "start-single-node", "--insecure"],
        ExposedPorts: { "26257/tcp": {}, "8080/tcp": {} },
      },
      host: {
        Privileged: true,
        SecurityOpt: ["label=disable"],
        MaskedPaths: null,
        ReadonlyPaths: null,
        IpcMode: "shareable",
        Binds: ["/var/lib/kaiwudb:/kaiwudb/deploy/kwdb-container"],
        PortBindings: {
          "26257/tcp": [{ HostIp: "", HostPort: "26257" }],
          "8080/tcp": [{ HostIp: "127.0.0.1", HostPort: "9090" }],
        },
        Ulimits: [
          { Name: "memlock", Soft: -1, Hard: -1 },
          { Name: "nofile", Soft: 1_048_576, Hard: 1_048_576 },
        ],
      },
      mounts: [
        { Type: "bind", Source: "/var/lib/kaiwudb", Destination: "/kaiwudb/deploy/kwdb-container", RW: true },
      ],
    });
    expect(made.refused).toEqual([]);
    expect(made.command).toEqual(["./kwbase", "start-single-node", "--insecure"]);
    expect(made.options.join(" ")).toBe(
      "--volume /var/lib/kaiwudb:/kaiwudb/deploy/kwdb-container --publish 26257:26257/tcp " +
        "--publish 127.0.0.1:9090:8080/tcp --ipc shareable --privileged " +
        "--ulimit memlock=-1:-1 --ulimit nofile=1048576:1048576",
    );
  });

  it.each<[string, Parameters<typeof container>[0], string]>([
    [
      "a restart policy",
      { host: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 } } },
      "--restart on-failure:3",
    ],
    [
      "an environment of its own, without the image's",
      { own: { Env: ["PATH=/usr/bin", "FROM_IMAGE=2", "A=b c"] } },
      "--env FROM_IMAGE=2 --env A=b c",
    ],
    ["labels of its own", { own: { Labels: { vendor: "kwdb", owner: "" } } }, "--label owner="],
    ["a user", { own: { User: "kaiwudb" } }, "--user kaiwudb"],
    ["a host name", { own: { Hostname: "db" } }, "--hostname db"],
    ["another working folder", { own: { WorkingDir: "/" } }, "--workdir /"],
    [
      "a port that is only exposed",
      { own: { ExposedPorts: { "26257/tcp": {}, "27257/tcp": {} } } },
      "--expose 27257/tcp",
    ],
    ["an entrypoint", { own: { Entrypoint: ["/init", "-v"], Cmd: ["x"] } }, "--entrypoint /init"],
    [
      "devices",
      { host: { Devices: [{ PathOnHost: "/dev/a", PathInContainer: "/dev/b", CgroupPermissions: "r" }] } },
      "--device /dev/a:/dev/b:r",
    ],
    [
      "capabilities",
      { host: { CapAdd: ["SYS_NICE"], CapDrop: ["MKNOD"] } },
      "--cap-add SYS_NICE --cap-drop MKNOD",
    ],
    ["links", { host: { Links: ["/meter:/kwdb/m"] } }, "--link meter:m"],
    [
      "limits",
      { host: { Memory: 1_000, MemorySwap: 2_000, NanoCpus: 1_500_000_000 } },
      "--memory 1000 --cpus 1.5",
    ],
    ["a tmpfs without options", { host: { Tmpfs: { "/x": "" } } }, "--tmpfs /x"],
    [
      "log options",
      { host: { LogConfig: { Type: "json-file", Config: { "max-size": "10m" } } } },
      "--log-opt max-size=10m",
    ],
    [
      "an anonymous volume, by its name",
      { mounts: [{ Type: "volume", Name: volume, Source: "/v", Destination: "/kaiwudb/own", RW: true }] },
      `--volume ${volume}:/kaiwudb/own`,
    ],
    [
      "a network with an alias and an address",
      {
        host: { NetworkMode: "shop" },
        networks: { shop: { Aliases: [id.slice(0, 12), "sql"], IPAMConfig: { IPv4Address: "172.20.0.5" } } },
      },
      "--network shop --network-alias sql --ip 172.20.0.5",
    ],
    [
      "unmasked paths",
      { host: { MaskedPaths: [], ReadonlyPaths: [] } },
      "--security-opt systempaths=unconfined",
    ],
  ])("carries %s", (_, parts, words) => {
    const made = wordsOf(parts);
    expect(made.refused).toEqual([]);
    expect(made.options.join(" ")).toContain(words);
  });

  it.each<[string, Parameters<typeof container>[0], string]>([
    ["--rm", { host: { AutoRemove: true } }, "AutoRemove=true"],
    [
      "a port chosen by the engine",
      { host: { PortBindings: { "26257/tcp": [{ HostIp: "", HostPort: "" }] } } },
      "PortBindings=",
    ],
    ["every port published", { host: { PublishAllPorts: true } }, "PublishAllPorts="],
    ["another container's volumes", { host: { VolumesFrom: ["data"] } }, "VolumesFrom="],
    ["another container's network", { host: { NetworkMode: "container:x" } }, "NetworkMode="],
    ["a second network", { networks: { bridge: {}, shop: {} } }, "Networks=shop"],
    ["a health check of its own", { own: { Healthcheck: { Test: ["CMD", "true"] } } }, "Healthcheck="],
    ["graphics cards", { host: { DeviceRequests: [{ Driver: "nvidia" }] } }, "DeviceRequests="],
    ["what a later engine may know", { host: { NewThing: "on" } }, "NewThing=on"],
    ["a container of compose", { own: { Labels: { "com.docker.compose.project": "x" } } }, "Labels="],
    [
      "options of a mount",
      { host: { Mounts: [{ Type: "volume", Source: "v", Target: "/v", VolumeOptions: { NoCopy: true } }] } },
      "Mounts=",
    ],
  ])("is refused by name with %s", (_, parts, name) => {
    expect(wordsOf(parts).refused.join("; ")).toContain(name);
  });

  it("with another program gives the words of its entrypoint before the command", () => {
    expect(wordsOf({ own: { Entrypoint: ["/init", "-v"], Cmd: ["x"] } }).command).toEqual(["-v", "x"]);
  });
});

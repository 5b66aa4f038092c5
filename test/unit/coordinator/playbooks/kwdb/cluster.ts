/** A KWDB cluster of three as its agents describe it when all is well, and ways to make it less so. */
import type { ClusterEntry } from "#coordinator/domain/inventory.ts";
import type { ArtefactFacts, PlaybookInput, Wish } from "#coordinator/domain/playbook.ts";
import type { Measured } from "#proto/common/measured.ts";
import type { HostFacts, NodeReport } from "#proto/common/report.ts";
import type { KwdbFull, Mode, NodeRow } from "#proto/engines/kwdb.ts";

export const at = "2026-02-01T10:00:00.000Z";
export const names = ["db1", "db2", "db3"] as const;
export type NodeName = (typeof names)[number];

export function is<T>(value: T): Measured<T> {
  return { at, value };
}

export const unknown = { at, unknown: { code: "look.failed", facts: { what: "test" } } } as const;
export const notApplicable = { at, notApplicable: "test" } as const;

const sha = (digit: string) => digit.repeat(64);

const artefact: ArtefactFacts = { digest: sha("a"), name: "KWDB.tar.gz", totalBytes: 1, facts: {} };

export const cluster: ClusterEntry = {
  name: "账单",
  engine: "kwdb",
  topology: "multi-replica",
  deployment: "script",
  nodes: names.map((name, index) => ({ name, address: `10.0.0.${index + 1}` })),
  gates: { everyMs: 10_000, dwellMs: 30_000, limitMs: 1_800_000 },
  settings: {},
  windows: [],
};

export function rowOf(index: number, version: string): NodeRow {
  return {
    id: index + 1,
    address: `10.0.0.${index + 1}:26257`,
    sqlAddress: `10.0.0.${index + 1}:26257`,
    build: version,
    startedAt: at,
    startMode: "start",
    isAvailable: true,
    isLive: true,
  };
}

export const rows = (version = "3.0.0"): NodeRow[] => names.map((_, index) => rowOf(index, version));

export const mode: Mode = {
  kind: "bare",
  topology: "multi-replication",
  place: "/",
  dataRoot: "/var/lib/kaiwudb",
  sqlPort: 26_257,
  httpPort: 8_080,
  user: "kaiwudb",
  security: "insecure",
  encrypted: false,
  address: "10.0.0.1",
};

export function factsOf(name: NodeName, version: string): KwdbFull {
  const index = names.indexOf(name);
  return {
    versionFile: is({ basic: version, extended: null }),
    unit: is({ loaded: true, active: "active", sub: "running", mainPid: 4_711, needsReload: false }),
    ready: is(true),
    nodes: is(rows(version)),
    ranges: is({ unavailable: 0, underReplicated: 0 }),
    jobs: is([]),
    running: is({ pid: 4_711, version, executableSha256: sha("b"), startedAt: at }),
    binary: is({ version, sha256: sha("b") }),
    mode: is({ ...mode, address: `10.0.0.${index + 1}` }),
    startModeFile: is("start"),
    unitSha256: is(sha("c")),
    configurationSha256: is({ MODE: sha("d") }),
    settings: is({ "server.time_until_store_dead": "00:30:00" }),
    spread: is(names.map((_, node) => ({ nodeId: node + 1, leaseholders: 10, replicas: 30 }))),
    sessions: is(
      names.map((_, node) => ({ nodeId: node + 1, client: `10.9.9.9:${50_000 + node}`, count: 1 })),
    ),
    sudo: is(true),
    foreign: is([]),
    meddlers: is([]),
    keptPackages: is([{ version, sha256: sha("e") }]),
    upgradeCompleteFlag: is(false),
    archive: notApplicable,
    packageTool: is("dpkg"),
    architecture: is("x86_64"),
  };
}

const host: HostFacts = {
  os: is("Debian 12"),
  kernel: is("6.1"),
  bootId: is("boot"),
  clockSynchronised: is(true),
  load: is([0, 0, 0]),
  memory: is({ totalBytes: 8 * 1024 ** 3, availableBytes: 6 * 1024 ** 3 }),
  fileSystems: is([
    {
      path: "/var/lib/kaiwudb",
      mount: "/",
      sizeBytes: 100 * 1024 ** 3,
      availableBytes: 50 * 1024 ** 3,
      inodes: 1_000_000,
      inodesAvailable: 900_000,
    },
  ]),
  agentVersion: "0.1.0",
};

export function reportOf(node: NodeName, facts: unknown, hostFacts: HostFacts = host): NodeReport {
  return { format: 1, node, takenAt: at, depth: "full", engine: "kwdb", host: hostFacts, facts };
}

/** How each topology is told in MODE and by the store; a standalone one has a single node. */
const told = {
  "multi-replica": { mode: "multi-replication", startMode: "start", size: 3 },
  "single-replica": { mode: "single-replication", startMode: "start-single-replica", size: 3 },
  standalone: { mode: "single", startMode: "start-single-node", size: 1 },
} as const;

function factsUnder(topology: keyof typeof told, name: NodeName, version: string): KwdbFull {
  const { mode: inMode, startMode, size } = told[topology];
  const facts = factsOf(name, version);
  return {
    ...facts,
    mode: is({ ...mode, topology: inMode, address: `10.0.0.${names.indexOf(name) + 1}` }),
    startModeFile: is(startMode),
    nodes: is(
      rows(version)
        .slice(0, size)
        .map((row) => ({ ...row, startMode })),
    ),
  };
}

export interface Changed {
  /** What the cluster really is, and is declared as. */
  readonly topology?: keyof typeof told;
  readonly from?: string;
  readonly to?: string;
  readonly cluster?: Partial<ClusterEntry>;
  readonly wish?: Partial<Wish>;
  /** Facts put over the healthy ones, by node; `null`: no report at all. */
  readonly facts?: Partial<Record<NodeName, Partial<Record<keyof KwdbFull, unknown>> | null>>;
  readonly host?: Partial<Record<NodeName, Partial<HostFacts>>>;
  readonly clocks?: PlaybookInput["clockOffsets"];
}

/** The healthy cluster with some of it changed. */
export function inputOf({
  topology = "multi-replica",
  from = "3.0.0",
  to = "3.0.1",
  cluster: entry = {},
  wish = {},
  facts = {},
  host: hosts = {},
  clocks = {},
}: Changed = {}): PlaybookInput {
  const reports = names.map((name) => {
    const change = facts[name];
    if (change === null) return [name, undefined] as const;
    return [
      name,
      reportOf(name, { ...factsUnder(topology, name, from), ...change }, { ...host, ...hosts[name] }),
    ] as const;
  });
  const offsets = names.map((name) => [name, { offsetMs: 3, errorMs: 1 }] as const);
  return {
    cluster: { ...cluster, topology, nodes: cluster.nodes.slice(0, told[topology].size), ...entry },
    wish: { to, artefact, ...wish },
    reports: Object.fromEntries(reports),
    nowMs: Date.parse(at),
    clockOffsets: { ...Object.fromEntries(offsets), ...clocks },
  };
}

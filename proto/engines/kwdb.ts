/**
 * What an agent says of a KWDB node, and what the playbook judges it by. Both ends import this file;
 * it holds shapes only. Field names follow the vendor's words where it has one.
 */
import { z } from "zod";
import { measured } from "../common/measured.ts";

/** A row of `kwbase node status`, joined with gossip_liveness by id. */
export const nodeRowSchema = z.object({
  id: z.number(),
  /** null when the node's descriptor is no longer gossiped. */
  address: z.string().nullable(),
  sqlAddress: z.string().nullable(),
  build: z.string().nullable(),
  startedAt: z.string().nullable(),
  startMode: z.string().nullable(),
  isAvailable: z.boolean(),
  isLive: z.boolean(),
  draining: z.boolean().optional(),
  decommissioning: z.boolean().optional(),
  upgrading: z.boolean().optional(),
});
export type NodeRow = z.infer<typeof nodeRowSchema>;

export const jobSchema = z.object({
  id: z.string(),
  type: z.string(),
  status: z.string(),
  created: z.string().nullable(),
  finished: z.string().nullable(),
  coordinatorId: z.number().nullable(),
  error: z.string(),
  lastSuccess: z.string().nullable(),
});
export type Job = z.infer<typeof jobSchema>;

export const modeSchema = z.object({
  kind: z.enum(["bare", "container"]),
  topology: z.enum(["single", "single-replication", "multi-replication"]),
  place: z.string(),
  dataRoot: z.string(),
  sqlPort: z.number(),
  httpPort: z.number(),
  user: z.string(),
  security: z.enum(["insecure", "tls", "tlcp"]),
  encrypted: z.boolean(),
  address: z.string(),
  /** Where it listens, where that is not every address of the host. */
  sqlHost: z.string().optional(),
  httpHost: z.string().optional(),
  /** `host:port` of the node's own row, where that is not `address` with `sqlPort`. */
  advertised: z.string().optional(),
  /** Within its container, where that is not as the vendor's installer has it. */
  within: z.object({ sqlPort: z.number(), certs: z.string() }).optional(),
});
export type Mode = z.infer<typeof modeSchema>;

/**
 * How a node is installed: by the vendor's script on the host, by it as a container (`deploy.sh` writes a unit around
 * docker-compose), by a compose file of one's own, by `docker run`, or compiled from source.
 */
export const formSchema = z.enum(["script", "compose-service", "compose", "docker-run", "compiled"]);
export type Form = z.infer<typeof formSchema>;

/** The container that the node is, running or not. */
const containerSchema = z.object({
  name: z.string(),
  id: z.string(),
  /** The reference that it was made from, and what that was: `sha256:…`. */
  image: z.string(),
  imageId: z.string(),
  /** `repository@sha256:…` of an image that came from a registry. */
  digests: z.array(z.string()),
  /** The engine's volume that the data is in; absent where it is a folder of the host. */
  dataVolume: z.string().optional(),
  /** The compose file that it comes from; absent where none is. */
  compose: z
    .object({ file: z.string(), services: z.array(z.string()), images: z.array(z.string()) })
    .optional(),
  /** Words of `docker create` before and after the image that make it again; `refused`: what no word can say. */
  repeats: z
    .object({
      options: z.array(z.string()),
      command: z.array(z.string()),
      refused: z.array(z.string()),
      sha256: z.string(),
    })
    .optional(),
});
export type Container = z.infer<typeof containerSchema>;

/** `cluster-stop`: all nodes of the cluster were stopped; `node-image`: the others went on, so no backup of a cluster. */
export const kwdbArchiveKindSchema = z.enum(["cluster-stop", "node-image"]);

export type KwdbArchiveKind = z.infer<typeof kwdbArchiveKindSchema>;

/** An archive of a data folder, as it lies on the node. */
const archiveSchema = z.object({
  path: z.string(),
  bytes: z.number(),
  /** By the record beside it; null: it does not say whose it is. */
  about: z
    .object({
      cluster: z.string(),
      node: z.string(),
      rollout: z.string(),
      /** Of the data. */
      version: z.string(),
      /** ISO 8601, the host's clock. */
      madeAt: z.string(),
      kind: kwdbArchiveKindSchema,
      /** It was unpacked and compared, file by file. */
      isProven: z.boolean(),
    })
    .nullable(),
});
export type KwdbArchive = z.infer<typeof archiveSchema>;

/** A build from source, in the folder that it is started from. */
const buildSchema = z.object({
  folder: z.string(),
  /** Only a folder's name can be changed for another's. */
  kind: z.enum(["folder", "link", "mount"]),
  /** What else is in it besides `bin`, `lib` and the manifest. */
  foreign: z.array(z.string()),
  bytes: z.number(),
  availableBytes: z.number(),
  /** What ldd does not find with the environment that it runs with, as `file: library`. */
  missingLibraries: z.array(z.string()),
  /** Folders of builds before, the newest first. */
  kept: z.array(z.string()),
  /** Rollouts whose build and start before are recorded file by file. Absent in reports of earlier agents. */
  recorded: z.array(z.string()).optional(),
});
export type KwdbBuild = z.infer<typeof buildSchema>;

/** How it is started: of its environment the names alone, since values may be secrets. */
const startSchema = z.object({
  /** The operator's; null: a process of its own. */
  unit: z.string().nullable(),
  /** The file that runs; null while none does. */
  executable: z.string().nullable(),
  binary: z.string(),
  argv: z.array(z.string()),
  cwd: z.string(),
  user: z.string(),
  environmentNames: z.array(z.string()),
});
export type KwdbStart = z.infer<typeof startSchema>;
/** The engine that the container lives in. */
const dockerSchema = z.object({
  version: z.string(),
  /** What `docker-compose` says of its version; null where there is no such program. */
  compose: z.string().nullable(),
  root: z.string(),
  availableBytes: z.number(),
  /** All that it has, with their names. Absent in reports of earlier agents. */
  images: z.array(z.object({ id: z.string(), names: z.array(z.string()) })).optional(),
  /** Containers besides it whose names hold its name: deploy.sh would not know them apart. */
  alike: z.array(z.string()),
});
export type DockerEngine = z.infer<typeof dockerSchema>;

/** `.version`: line 1 and, where there is one, line 2. */
const versionFileSchema = z.object({ basic: z.string(), extended: z.string().nullable() });

/** Facts at every depth. */
const pulse = {
  versionFile: measured(versionFileSchema),
  unit: measured(
    z.object({
      loaded: z.boolean(),
      active: z.string(),
      sub: z.string(),
      mainPid: z.number(),
      /** What keeps the database where that is a process of its own, as docker-compose; 0 where there is none. */
      supervisorPid: z.number().optional(),
      needsReload: z.boolean(),
    }),
  ),
  /** GET /health?ready=1 answered 200. */
  ready: measured(z.boolean()),
};

/** The cluster as this node sees it; gossip is local, so views of two nodes may differ. */
const gate = {
  nodes: measured(z.array(nodeRowSchema)),
  ranges: measured(z.object({ unavailable: z.number(), underReplicated: z.number() })),
  jobs: measured(z.array(jobSchema)),
  /**
   * Version and digest of the executable behind MainPID (/proc/PID/exe), not of the file on disk; host's clock. Of a
   * container: the build of its own row, and the id of its image.
   */
  running: measured(
    z.object({ pid: z.number(), version: z.string(), executableSha256: z.string(), startedAt: z.string() }),
  ),
};

const full = {
  /** Absent from agents that know the script's form only. */
  form: measured(formSchema).optional(),
  /** Not applicable where no container is. */
  container: measured(containerSchema).optional(),
  /** Absent where nothing was compiled from source. */
  build: measured(buildSchema).optional(),
  start: measured(startSchema).optional(),
  docker: measured(dockerSchema).optional(),
  binary: measured(z.object({ version: z.string(), sha256: z.string() })),
  mode: measured(modeSchema),
  startModeFile: measured(z.string()),
  unitSha256: measured(z.string()),
  configurationSha256: measured(z.record(z.string(), z.string())),
  /** `server.time_until_store_dead` and the other settings that the playbook reads. */
  settings: measured(z.record(z.string(), z.string())),
  /** Those that a person has made, by name; absent from agents that do not move data. */
  databases: measured(z.array(z.string())).optional(),
  /** Leaseholders and replicas per node id. */
  spread: measured(z.array(z.object({ nodeId: z.number(), leaseholders: z.number(), replicas: z.number() }))),
  /** Sessions per node id and client, by the client's address without its port. */
  sessions: measured(z.array(z.object({ nodeId: z.number(), client: z.string(), count: z.number() }))),
  sudo: measured(z.boolean()),
  /** Other deploy.sh, dpkg, rpm or apt processes, as "pid argv0". */
  foreign: measured(z.array(z.string())),
  /** Timers and agents that may restart the unit or change packages (apt-daily-upgrade.timer, puppet …). */
  meddlers: measured(z.array(z.string())),
  /** Digests of KWDB packages kept in the agent's folder, by version. */
  keptPackages: measured(z.array(z.object({ version: z.string(), sha256: z.string() }))),
  /** Left-overs of an online upgrade done by hand: the flag in kaiwudb_env. */
  upgradeCompleteFlag: measured(z.boolean()),
  /** Not applicable where the agent's file names no folder for archives. */
  archive: measured(z.object({ folder: z.string(), availableBytes: z.number(), dataBytes: z.number() })),
  /** Those in that folder, of this node and of others. Absent in reports of earlier agents. */
  archives: measured(z.array(archiveSchema)).optional(),
  /** How fast a sample was written to that folder, made durable, and read again. Absent in reports of earlier agents. */
  archiveRate: measured(z.object({ bytesPerSecond: z.number() })).optional(),
  /** Raised by a rollout from this node and not put back; null: nothing is. Absent in reports of earlier agents. */
  storeDeadRaised: measured(
    z.object({ rollout: z.string(), was: z.string().nullable(), raisedTo: z.string() }).nullable(),
  ).optional(),
  /** Configurations saved before a change, whole ones only, and the files that differ from them now. Absent in reports of earlier agents. */
  saved: measured(
    z.array(z.object({ name: z.string(), rollout: z.string(), differs: z.array(z.string()) })),
  ).optional(),
  packageTool: measured(z.enum(["dpkg", "rpm"])),
  architecture: measured(z.string()),
};

export const kwdbPulseSchema = z.object(pulse);
export const kwdbGateSchema = z.object({ ...pulse, ...gate });
export const kwdbFullSchema = z.object({ ...pulse, ...gate, ...full });
export type KwdbPulse = z.infer<typeof kwdbPulseSchema>;
export type KwdbGate = z.infer<typeof kwdbGateSchema>;
export type KwdbFull = z.infer<typeof kwdbFullSchema>;

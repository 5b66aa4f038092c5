/**
 * Builds a coordinator: NATS, leadership, agents' room, engine, services. The only place in this program
 * that knows all the parts; it decides nothing.
 */
import { createServer } from "nice-grpc";
import { troubleOf } from "#proto/catalogue/trouble.ts";
import { FailureError, failure } from "#proto/common/failure.ts";
import { makeFolders } from "#proto/common/make-folders.ts";
import { takeFolder } from "#proto/common/sole-use.ts";
import { openStateFolder } from "#proto/common/state-folder.ts";
import { AgentServiceService } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import { ControlServiceService } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import { ParcelServiceService } from "#proto/gen/lockkeeper/v1/parcel_pb.ts";
import { controlService } from "./api/control-service.ts";
import { leaderOnly, shelfOfLeader } from "./api/leader-only.ts";
import { parcelService } from "./api/parcel-service.ts";
import { withoutToken } from "./nats/server-address.ts";
import { nameOf } from "./serve/identity.ts";
import type { ServeMeans } from "./serve/means.ts";
import { furnish, type Office } from "./serve/office.ts";
import { takeRegularly } from "./serve/on-schedule.ts";
import { openRecords } from "./serve/records.ts";
import { Teardown } from "./teardown.ts";

export interface Coordinator extends AsyncDisposable {
  readonly address: string;
  readonly leads: () => boolean;
}

const callsEndLimitMs = 2_000;
const leadingEndLimitMs = 10_000;

/** What was begun before a failure is ended before the failure is told. */
export async function serve(means: ServeMeans): Promise<Coordinator> {
  const { clock, log } = means;
  const teardown = new Teardown({ clock, warn: (text, facts) => log.warn(facts, text) });
  try {
    return await build(means, teardown);
  } catch (error) {
    await teardown[Symbol.asyncDispose]();
    throw error;
  }
}

async function build(means: ServeMeans, teardown: Teardown): Promise<Coordinator> {
  const { config, log } = means;
  await takeStateFolder(means, teardown);
  const records = await openRecords(means, teardown);
  const coordinator = await nameOf(means);
  const office = furnish(means, records, coordinator);
  await office.inventory.load();
  const port = await listen(means, office, teardown);
  beginLeading(means, office, teardown);
  log.info(
    {
      address: config.listen,
      port,
      nats: records.servers.map(withoutToken),
      natsVersion: records.store.serverVersion,
      coordinator,
      pid: means.pid,
    },
    "serving",
  );
  return {
    address: config.listen.replace(/:0$/, `:${port}`),
    leads: () => office.leadership.leads,
    [Symbol.asyncDispose]: () => teardown[Symbol.asyncDispose](),
  };
}

async function takeStateFolder({ config, configFile }: ServeMeans, teardown: Teardown): Promise<void> {
  const opened = await openStateFolder({
    folder: config.stateDir,
    make: (folder) => makeFolders(folder, 0o700),
    namedIn: configFile,
  });
  if (!opened.ok) throw new FailureError(opened.failure);
  const giveBack = await takeFolder(config.stateDir, "coordinator");
  if (giveBack === undefined)
    throw new FailureError(failure("coordinator.folder-in-use", { folder: config.stateDir }));
  teardown.add({ name: "state folder", limitMs: 1_000, end: giveBack });
}

/** Answers calls; resolves with the port, which the system chooses where the file says 0. */
async function listen({ config, clock }: ServeMeans, office: Office, teardown: Teardown): Promise<number> {
  const server = createServer({
    "grpc.max_receive_message_length": 8 * 1024 * 1024,
    "grpc.keepalive_time_ms": 10_000,
    "grpc.keepalive_timeout_ms": 5_000,
    "grpc.http2.min_ping_interval_without_data_ms": 5_000,
  });
  const { agentService, port, artefacts, parcels, leader } = office;
  server.add(AgentServiceService, agentService);
  server.add(ParcelServiceService, parcelService(parcels, leader));
  server.add(
    ControlServiceService,
    controlService(leaderOnly(port, leader), shelfOfLeader(artefacts, leader)),
  );
  const listening = await server.listen(config.listen).catch((error: unknown) => {
    throw new FailureError(
      failure("coordinator.cannot-listen", { address: config.listen, cause: troubleOf(error) }),
    );
  });
  teardown.add({
    name: "calls",
    limitMs: callsEndLimitMs * 2,
    end: async () => {
      await Promise.race([server.shutdown(), clock.sleep(callsEndLimitMs)]);
      server.forceShutdown();
    },
  });
  return listening;
}

function beginLeading({ config, clock, log }: ServeMeans, office: Office, teardown: Teardown): void {
  const { leadership, snapshots, inventory } = office;
  const stop = new AbortController();
  const leading = leadership.run(stop.signal);
  const picturing = takeRegularly(
    snapshots,
    inventory,
    { everyMs: config.snapshots.every, clock, leads: () => leadership.leads, log },
    stop.signal,
  );
  teardown.add({
    name: "leadership",
    limitMs: leadingEndLimitMs,
    end: async () => {
      stop.abort();
      await Promise.all([leading, picturing]);
    },
  });
}

/** The subjects that a stream holds, told by its leader: a consumer on a lagging replica could leave one out. */
import type { JetStreamManager } from "@nats-io/jetstream";
import { unreachable } from "./errors.ts";

export async function subjectCounts(
  manager: JetStreamManager,
  stream: string,
  filter: string,
): Promise<ReadonlyMap<string, number>> {
  const info = await manager.streams.info(stream, { subjects_filter: filter }).catch((error: unknown) => {
    throw unreachable(error);
  });
  return new Map(Object.entries(info.state.subjects ?? {}));
}

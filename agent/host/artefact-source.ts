/** The coordinator's artefact stream, from whichever coordinator this agent is attached to. */
import { credentials } from "@grpc/grpc-js";
import { AgentServiceClient, type FetchArtefactResponse } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import type { Piece } from "./artefacts.ts";

export function artefactSource(address: () => string | undefined) {
  return async function* fetch(digest: string, offset: number, signal: AbortSignal): AsyncIterable<Piece> {
    const to = address();
    if (to === undefined) throw new Error("no coordinator is attached");
    const client = new AgentServiceClient(to, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    const call = client.fetchArtefact({ digest, offset });
    const cancel = () => call.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      for await (const piece of call as AsyncIterable<FetchArtefactResponse>) yield piece;
    } finally {
      signal.removeEventListener("abort", cancel);
      call.cancel();
      client.close();
    }
  };
}

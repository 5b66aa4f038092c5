/** The coordinator's parcel service, at whichever coordinator this agent is attached to. */
import { credentials, type ServiceError } from "@grpc/grpc-js";
import type { Clock } from "#proto/common/clock.ts";
import { FailureError } from "#proto/common/failure.ts";
import { ParcelServiceClient, type SendParcelRequest } from "#proto/gen/lockkeeper/v1/parcel_pb.ts";
import { Failure as WireFailure } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import type { Piece } from "./artefacts.ts";
import type { ParcelHeader, ParcelPost } from "./parcels.ts";

const askMs = 15_000;
const failureTrailer = "lockkeeper-failure-bin";

export function parcelPost(address: () => string | undefined, clock: Clock): ParcelPost {
  const open = () => {
    const to = address();
    if (to === undefined) throw new Error("no coordinator is attached");
    return new ParcelServiceClient(to, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
  };
  const using = async <T>(work: (client: ParcelServiceClient) => Promise<T>): Promise<T> => {
    const client = open();
    return work(client).finally(() => client.close());
  };
  return {
    send: (header, chunks, signal) => using((client) => send(client, { header, chunks }, signal)),
    find: (rollout, name) => using((client) => find(client, { rollout, name }, clock)),
    async *fetch(rollout, digest, offset, signal): AsyncIterable<Piece> {
      const client = open();
      const call = client.fetchParcel({ rollout, digest, offset });
      const cancel = () => call.cancel();
      signal.addEventListener("abort", cancel, { once: true });
      try {
        for await (const piece of call as AsyncIterable<Piece>) yield piece;
      } finally {
        signal.removeEventListener("abort", cancel);
        call.cancel();
        client.close();
      }
    },
  };
}

function send(
  client: ParcelServiceClient,
  { header, chunks }: { readonly header: ParcelHeader; readonly chunks: AsyncIterable<Uint8Array> },
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = client.sendParcel((error) => {
      signal.removeEventListener("abort", cancel);
      ended = true;
      drained();
      if (error === null) resolve();
      else reject(told(error));
    });
    const cancel = () => call.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    let ended = false;
    let drained = () => {};
    call.on("drain", () => drained());
    const write = (part: SendParcelRequest["part"]) =>
      new Promise<void>((go) => {
        drained = go;
        if (part === undefined || ended || call.write({ part })) go();
      });
    const pump = async () => {
      await write({ $case: "header", value: header });
      for await (const chunk of chunks) {
        if (ended) return;
        await write({ $case: "chunk", value: Buffer.from(chunk) });
      }
      call.end();
    };
    pump().catch((error: unknown) => {
      call.cancel();
      reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
}

function find(
  client: ParcelServiceClient,
  asked: { readonly rollout: string; readonly name: string },
  clock: Clock,
): ReturnType<ParcelPost["find"]> {
  return new Promise((resolve, reject) => {
    const call = client.findParcel(asked, (error, { digest } = { digest: "", totalBytes: 0 }) => {
      late();
      if (error !== null) reject(told(error));
      else resolve(digest === "" ? undefined : { digest });
    });
    const late = clock.after(askMs, () => call.cancel());
  });
}

/** A refusal travels as a failure in the trailer; another coordinator may lead in a moment, so that one is none. */
function told(error: ServiceError): Error {
  const [packed] = error.metadata.get(failureTrailer);
  if (!Buffer.isBuffer(packed)) return error;
  const { code, facts } = WireFailure.decode(packed);
  const [area, what] = code.split(".");
  if (area === undefined || what === undefined || area === "coordinator") return error;
  return new FailureError({ code: `${area}.${what}`, facts });
}

/** ParcelService: only the coordinator that leads keeps parcels, so that both ends of one meet at the same folder. */
import { type CallContext, ServerError, type ServiceImplementation, Status } from "nice-grpc";
import { FailureError, failure } from "#proto/common/failure.ts";
import type { ParcelServiceService, SendParcelRequest } from "#proto/gen/lockkeeper/v1/parcel_pb.ts";
import { answering, refuse, taken } from "./answering.ts";
import type { ParcelFolder } from "./parcels.ts";

type Leader = () => { readonly leads: boolean; readonly address: string };

export function parcelService(
  parcels: ParcelFolder,
  leader: Leader,
): ServiceImplementation<typeof ParcelServiceService> {
  const mustLead = () => {
    const { leads, address } = leader();
    if (!leads) throw new FailureError(failure("coordinator.not-leader", { leader: address }));
  };
  return {
    sendParcel: answering(async (parts: AsyncIterable<SendParcelRequest>) => {
      mustLead();
      const iterator = parts[Symbol.asyncIterator]();
      const first = await iterator.next();
      const part = first.done === true ? undefined : first.value.part;
      if (part?.$case !== "header") throw new FailureError(failure("parcel.without-header", {}));
      taken(await parcels.send(part.value, chunksOf(iterator)));
      return {};
    }),
    findParcel: answering(async ({ rollout, name }) => {
      mustLead();
      return (await parcels.find(rollout, name)) ?? { digest: "", totalBytes: 0 };
    }),
    async *fetchParcel({ rollout, digest, offset }, context: CallContext) {
      if (!/^[0-9a-f]{64}$/.test(digest))
        throw new ServerError(Status.INVALID_ARGUMENT, "digest is 64 hex digits");
      try {
        mustLead();
        for await (const piece of parcels.fetch(rollout, digest, offset))
          yield { chunk: Buffer.from(piece.chunk), totalBytes: piece.totalBytes };
      } catch (error) {
        throw refuse(error, context);
      }
    },
  };
}

async function* chunksOf(parts: AsyncIterator<SendParcelRequest>): AsyncGenerator<Uint8Array> {
  for (let next = await parts.next(); next.done !== true; next = await parts.next()) {
    if (next.value.part?.$case === "chunk") yield next.value.part.value;
  }
}

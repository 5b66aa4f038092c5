import { type KeptStoreDead, keptFormat, parseKept } from "#agent/engines/kwdb/store-dead-kept.ts";
import { FailureError } from "#proto/common/failure.ts";
import { holdsToGolden } from "#test/golden.ts";

const rollout = "20260131-221500-ab12";

holdsToGolden<KeptStoreDead>("what server.time_until_store_dead was", {
  file: "agent/engines/kwdb/store-dead",
  format: 1,
  refusal: "kwdb.store-dead-kept-unreadable",
  made: () => [
    { format: keptFormat, rollout, was: null, raisedTo: "3h" },
    { format: keptFormat, rollout, was: "41m7s", raisedTo: "12h" },
  ],
  read: (kept) => {
    const read = parseKept(kept);
    if (!read.ok) throw new FailureError(read.failure);
    return read.value;
  },
});

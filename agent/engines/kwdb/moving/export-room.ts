/** Room on the exporting node for what the whole cluster holds, as text. */
import { type Failure, failure } from "#proto/common/failure.ts";
import { isThere } from "../files.ts";
import { freeBytes, stepLookMs, usedBytes } from "../space.ts";
import type { Desk } from "./desk.ts";

/** Texts are wider than what is stored: twice of it is a guess, and said so. */
const widening = 2;
/** By the vendor's default each row of a multi-replica cluster lies on three nodes. */
const copies = 3;

/** What this rollout has exported lies in the data folder itself: it is neither data nor lost room. */
export async function whyNoRoomFor(desk: Desk): Promise<Failure | undefined> {
  const { context, mode } = desk;
  const { host } = context;
  const extern = desk.path("");
  const [free, used, own] = await Promise.all([
    freeBytes(host, mode.dataRoot),
    usedBytes(host, mode.dataRoot, stepLookMs),
    isThere(extern).then((is) => (is ? usedBytes(host, desk.hostPath(""), stepLookMs) : undefined)),
  ]);
  if (!free.ok) return free.failure;
  if (!used.ok) return used.failure;
  if (own?.ok === false) return own.failure;
  const exported = own?.value ?? 0;
  const wanted = Math.ceil(widening * sharers(desk) * (used.value - exported));
  return free.value + exported >= wanted
    ? undefined
    : failure("kwdb.move-no-room", {
        place: mode.dataRoot,
        wanted: String(wanted - exported),
        free: String(free.value),
      });
}

/** How many times what lies here the cluster holds: one node exports for all. */
function sharers({ mode, nodes }: Desk): number {
  return mode.topology === "multi-replication" ? Math.max(1, nodes / copies) : Math.max(1, nodes);
}
